// run.js FOLDER: runs the models of onnx_cases by onnxruntime-node, and compares.
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

const folder = process.argv[2];
const cases = JSON.parse(fs.readFileSync(path.join(folder, 'cases.json')));
const data = fs.readFileSync(path.join(folder, 'data.bin'));
const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
const kinds = {float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array};
const tolerance = 1e-5;

function values(tensor) {
  const count = tensor.dims.reduce((a, b) => a * b, 1);
  return new kinds[tensor.type](bytes, tensor.at, count);
}

// How far apart two numbers are, by the tolerance.
function apart(a, b) {
  if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const difference = Math.abs(a - b) / (1 + Math.abs(b));
  return Number.isNaN(difference) ? Infinity : difference;
}

function compare(wanted, got) {
  if (got.dims.length !== wanted.dims.length ||
      got.dims.some((d, i) => Number(d) !== wanted.dims[i])) {
    return `${wanted.name} is [${got.dims}], expected [${wanted.dims}]`;
  }
  const expected = values(wanted);
  let worst = 0;
  for (let i = 0; i < expected.length; ++i) {
    worst = Math.max(worst, apart(Number(got.data[i]), Number(expected[i])));
  }
  return worst <= tolerance ? null : `${wanted.name} is ${worst} from what it must be`;
}

// A mask as the file gives it: by itself or as lengths; of no mask, as all that is there.
function maskOf(wanted, results) {
  const base = wanted.name.slice(0, -'_mask'.length);
  if (results[wanted.name]) return results[wanted.name];
  const lengths = results[`${base}_lengths`];
  if (!lengths) return null;
  const time = wanted.dims[1];
  const bits = new Uint8Array(wanted.dims[0] * time);
  for (let i = 0; i < bits.length; ++i) {
    bits[i] = (i % time) < lengths.data[Math.floor(i / time)] ? 1 : 0;
  }
  return {dims: wanted.dims, data: bits};
}

async function main() {
  const sessions = new Map();
  let failed = 0;
  for (const c of cases) {
    let said = null;
    try {
      if (!sessions.has(c.file)) {
        sessions.set(c.file, await ort.InferenceSession.create(
          path.join(folder, c.file), {intraOpNumThreads: 1, logSeverityLevel: 3}));
      }
      const feeds = {};
      for (const x of c.inputs) feeds[x.name] = new ort.Tensor(x.type, values(x), x.dims);
      const results = await sessions.get(c.file).run(feeds);
      for (const wanted of c.outputs) {
        const got = wanted.name.endsWith('_mask') ? maskOf(wanted, results)
                                                  : results[wanted.name];
        if (!got) said = said || `there is no ${wanted.name}`;
        else said = said || compare(wanted, got);
      }
    } catch (error) {
      said = error.message;
    }
    if (said) {
      ++failed;
      console.log(`FAILED ${c.file} ${c.title}: ${said}`);
    }
  }
  console.log(`${cases.length - failed} runs equal, ${failed} not`);
  process.exit(failed ? 1 : 0);
}
main();
