#include <maskgrad/optim/train/report/style.hpp>

namespace maskgrad::report {
namespace {

constexpr std::string_view text = R"css(
:root {
  --page: #f4f5f7; --box: #ffffff; --text: #1b222c; --soft: #5b6674; --line: #dfe3e9;
  --train: #2f6fb0; --valid: #d2691e; --good: #2e7d32; --warn: #9a6200; --bad: #b3261e;
  --warn-box: #fff6e0; --bad-box: #fdeceb; --good-box: #e7f4e8;
  --produces: #b7e1b0; --propagates: #eeeeee; --supports: #b9d7f2; --consumes: #f9d9a8;
  --unsupported: #f4b6b6;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --page: #11151b; --box: #1a2029; --text: #e3e8ef; --soft: #97a3b3; --line: #2d3643;
    --train: #6cb0f2; --valid: #f0a45c; --good: #7fca84; --warn: #e8b64c; --bad: #f2928b;
    --warn-box: #2e2717; --bad-box: #351e1e; --good-box: #1b2e1e;
    --produces: #2d5a29; --propagates: #38404c; --supports: #24496e; --consumes: #6a4a17;
    --unsupported: #6d2b2b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
main { max-width: 1140px; margin: 0 auto; padding: 36px 20px 28px; }
h1 { margin: 0; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0 0 14px; font-size: 18px; }
h3 { margin: 0 0 6px; font-size: 15px; }
p { margin: 0 0 10px; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; margin-bottom: 22px; }
header p { flex-basis: 100%; margin: 0; color: var(--soft); }
section { margin: 34px 0 0; }
footer { margin-top: 40px; color: var(--soft); font-size: 13px; }
.soft { color: var(--soft); }
.box, figure, .cards > div {
  background: var(--box); border: 1px solid var(--line); border-radius: 10px;
}
.box { padding: 16px 18px; }
.pair { display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); }
.pair > *, .cards > * { min-width: 0; }
.state { padding: 2px 11px; border-radius: 99px; font-size: 13px; font-weight: 600; }
.state.good { color: var(--good); background: var(--good-box); }
.state.warn { color: var(--warn); background: var(--warn-box); }
.state.bad { color: var(--bad); background: var(--bad-box); }
.note {
  margin: 0 0 12px; padding: 10px 14px; border-left: 4px solid var(--warn); border-radius: 6px;
  background: var(--warn-box); white-space: pre-wrap; overflow-wrap: anywhere;
}
.note.bad { border-color: var(--bad); background: var(--bad-box); }

.cards { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 140px), 1fr)); }
.cards > div { padding: 12px 15px 11px; }
.cards dt { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.cards dd { margin: 0; font-size: 25px; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.cards dd + dd { font-size: 13px; font-weight: 400; color: var(--soft); }
dl { margin: 0; }

.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 6px 14px 6px 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 13px; vertical-align: bottom; }
tbody th { font-weight: 500; }
.settings tr:first-child > * { border-top: 0; }
.numbers td, .numbers thead th + th { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.numbers tr.best > * { background: var(--good-box); font-weight: 600; }
.numbers thead .group { text-align: center; border-bottom: 1px solid var(--line); }
code, .mono { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
details > summary { cursor: pointer; padding: 2px 0; }
details[open] > summary { margin-bottom: 10px; }

figure { margin: 0; padding: 12px 14px 8px; break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 16px; align-items: baseline; margin-bottom: 4px; }
figcaption b { overflow-wrap: anywhere; }
.keys { margin-left: auto; display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 13px; color: var(--soft); }
.key::before { content: ""; display: inline-block; width: 16px; height: 3px; margin: 0 6px 4px 0; border-radius: 2px; background: currentColor; vertical-align: middle; }
.key.train::before { background: var(--train); }
.key.valid::before { background: var(--valid); }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); }
.axis { stroke: var(--soft); fill: none; }
.ytick { text-anchor: end; }
.xtick, .name, .none, .count { text-anchor: middle; }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
polyline.train { stroke: var(--train); }
polyline.valid { stroke: var(--valid); }
circle.train, tspan.train { fill: var(--train); }
circle.valid, tspan.valid { fill: var(--valid); }
.mark { stroke: var(--good); stroke-width: 1.5; stroke-dasharray: 5 4; }
.mark.resumed { stroke: var(--soft); stroke-dasharray: 1 4; }
svg text.best { fill: var(--good); font-weight: 600; }
svg text.best, svg text.resumed { paint-order: stroke; stroke: var(--box); stroke-width: 4px; }
.at rect { fill: transparent; }
.at path { stroke: var(--soft); }
.at path, .at circle, .at text { visibility: hidden; pointer-events: none; }
.at:hover path, .at:hover circle, .at:hover text { visibility: visible; }
.at text { text-anchor: end; fill: var(--text); }
.at tspan { font-weight: 600; }
.bar { fill: var(--train); }
.bar:hover { opacity: .8; }

.shares { display: flex; height: 26px; margin: 12px 0 6px; border-radius: 6px; overflow: hidden; font-size: 13px; line-height: 26px; }
.shares > div { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; padding: 0 8px; min-width: 2px; }
.shares > div:first-child { background: var(--train); color: var(--box); font-weight: 600; }
.shares > div + div { background: repeating-linear-gradient(135deg, var(--line) 0 6px, transparent 6px 12px); box-shadow: inset 0 0 0 1px var(--line); border-radius: 0 6px 6px 0; }
.shares > div:empty { padding: 0; }

.role { display: inline-block; padding: 0 9px; border-radius: 99px; font-size: 12.5px; line-height: 20px; white-space: nowrap; }
.produces { background: var(--produces); }
.propagates { background: var(--propagates); }
.supports { background: var(--supports); }
.consumes { background: var(--consumes); }
.unsupported { background: var(--unsupported); }
.roles { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 14px; font-size: 13px; color: var(--soft); }
.roles .role { color: var(--text); }
.flow { display: flex; max-width: 640px; margin: 0 auto; }
.flow svg { flex: none; width: auto; overflow: visible; }
.flow ol { flex: 1; min-width: 0; margin: 0; padding: 0; list-style: none; }
.flow li { height: 52px; }
.flow li.step, .flow li.end { display: flex; align-items: center; gap: 12px; padding: 0 14px; border: 1px solid rgb(128 128 128 / .35); border-radius: 8px; }
.flow li.end { height: 52px; background: var(--box); border-radius: 26px; padding: 0 20px; }
.flow li > div { min-width: 0; flex: 1; line-height: 1.3; }
.flow li b, .flow li small { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.flow li small { font-size: 12.5px; opacity: .8; }
.flow li > i { font-style: normal; font-size: 12.5px; opacity: .9; }
.flow li.edge { height: 38px; position: relative; padding-left: 62px; display: flex; align-items: center; gap: 8px; overflow: hidden; }
.flow li.edge code { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; overflow-wrap: normal; }
.flow li.edge .masked { color: var(--train); font-weight: 600; flex: none; }
.flow .line { position: absolute; left: 38px; top: 0; bottom: 7px; width: 0; flex: none; min-width: 0; border-left: 1.5px solid var(--soft); }
.flow .line::after { content: ""; position: absolute; left: -5.75px; bottom: -6px; border: 5px solid transparent; border-bottom: 0; border-top: 7px solid var(--soft); }
.flow .line.mask { border-left: 5px solid var(--train); margin-left: -1.75px; }
.flow .line.mask::after { left: -9.5px; border-width: 7px 7px 0; border-top: 8px solid var(--train); }
.flow .line.through { border-left-style: dashed; }
.arc { fill: none; stroke: var(--soft); stroke-width: 1.5; }
.arc.mask { stroke: var(--train); stroke-width: 5; }
.arc.through { stroke-dasharray: 5 4; }
.tip { fill: var(--soft); }
.tip.mask { fill: var(--train); }
.calls td:first-child { min-width: 130px; overflow-wrap: anywhere; }
.calls code { white-space: nowrap; display: inline-block; }
.calls td:last-child { min-width: 180px; }
.calls { margin-top: 18px; }

.settings th { width: 150px; }
.opt { display: inline-block; margin: 0 14px 0 0; overflow-wrap: anywhere; }
.opt i { font-style: normal; color: var(--soft); margin-right: 5px; }
.settings ol { margin: 0; padding-left: 22px; }
.settings b { margin-right: 12px; }
.nested { display: block; padding-left: 18px; border-left: 2px solid var(--line); }

@media (max-width: 620px) {
  main { padding: 22px 12px; }
  h1 { font-size: 23px; }
  figure { padding: 10px 8px 6px; }
  svg text { font-size: 14.5px; }
  .box { padding: 13px 12px; }
  .cards { grid-template-columns: 1fr 1fr; gap: 8px; }
  .cards > div { padding: 9px 11px; }
  .cards dd { font-size: 21px; }
  .settings th, .settings td { display: block; width: auto; padding-right: 0; }
  .settings td { border-top: 0; padding-top: 0; }
  .flow li.step { padding: 0 10px; gap: 8px; }
  .flow li.edge { padding-left: 46px; }
  .flow .line { left: 24px; }
  .flow li.edge { gap: 6px; }
  .flow li.edge code { font-size: 10.5px; letter-spacing: -.3px; }
}
@media print {
  body { font-size: 12px; background: none; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  section { margin-top: 20px; }
  .pair { grid-template-columns: 1fr 1fr; gap: 10px; }
  .cards, tr, .note, .flow, .flow li { break-inside: avoid; }
  .wide { overflow: visible; }
  table, code, .mono, .calls code { font-size: 11px; white-space: normal; }
  th, td { padding-right: 8px; }
  .calls td:first-child { min-width: 80px; }
  .calls td:last-child { min-width: 120px; }
  h2, h3 { break-after: avoid; }
}
)css";

}  // namespace

std::string_view style() {
  return text;
}

}  // namespace maskgrad::report
