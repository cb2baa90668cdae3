#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>

#include "files.hpp"
#include "limits.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_atomic_file {

using namespace maskgrad;
using maskgrad::tests::throws;

namespace {

void save(const std::filesystem::path& path, std::string_view text) {
  write_file(path, files::bytes(text), "save");
}

}  // namespace

TEST_CASE("atomic file: whole or not at all") {
  const files::TemporaryFolder folder;
  const auto path = folder / "x";
  save(path, "old");
  CHECK(files::load(path) == "old");
  {
    AtomicFile file(path, "save");
    file.write(files::bytes("new, but never committed"));
    CHECK(files::load(path) == "old");
    CHECK(folder.count() == 2);
  }
  CHECK(files::load(path) == "old");
  CHECK(folder.count() == 1);
  AtomicFile file(path, "save");
  file.write(files::bytes("new "));
  file.write({});
  file.write(files::bytes("text"));
  CHECK(files::load(path) == "old");
  file.commit();
  CHECK(files::load(path) == "new text");
  CHECK(folder.count() == 1);
  CHECK_THROWS_AS(file.commit(), FileError);
  CHECK_THROWS_AS(file.write(files::bytes("x")), FileError);
}

TEST_CASE("atomic file: permissions are kept, links followed, long names and no folder allowed") {
  const files::TemporaryFolder folder;
  const auto path = folder / "x", link = folder / "link";
  save(path, "1");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  std::filesystem::create_symlink("x", link);
  save(link, "2");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(files::load(path) == "2");
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0640);
  save(folder / std::string(255, 'n'), "3");
  CHECK(files::load(folder / std::string(255, 'n')) == "3");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  save("plain", "4");
  std::filesystem::current_path(before);
  CHECK(files::load(folder / "plain") == "4");
}

TEST_CASE("atomic file: paths that cannot be written") {
  const files::TemporaryFolder folder;
  const auto missing = folder / "missing/x";
  CHECK(files::message_of([&] { save(missing, "x"); }) ==
        "save: " + missing.string() +
            " cannot be written (No such file or directory); an old file is as it was; make the "
            "folder first");
  CHECK(files::message_of([&] { save(folder.path(), "x"); }) ==
        "save: " + folder.path().string() + " is a folder; give the path of a file");
  CHECK(files::message_of([&] { save("/dev/null", "x"); }) ==
        "save: /dev/null is a pipe or a device; give the path of a file");
  CHECK(files::message_of([&] { save("", "x"); }) ==
        "save: '' names no file; give the path of a file");
  save(folder / "file", "x");
  const auto below = folder / "file/x";
  CHECK(
      files::message_of([&] { save(below, "x"); }) ==
      "save: " + below.string() +
          " cannot be written (Not a directory); an old file is as it was; make the folder first");
  CHECK(folder.count() == 1);
}

TEST_CASE("atomic file: a folder that may not be written in") {
  const files::TemporaryFolder folder;
  const auto path = folder / "x";
  save(path, "old");
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  {
    const files::NotRoot not_root;
    CHECK(files::message_of([&] { save(path, "new"); }) ==
          "save: " + path.string() +
              " cannot be written (Permission denied); an old file is as it was; get the right to "
              "write in that "
              "folder, or write elsewhere");
  }
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  CHECK(files::load(path) == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("atomic file: no room for all of it leaves the old file and nothing else") {
  const files::TemporaryFolder folder;
  const auto path = folder / "x";
  const NamedArrays large = {{"w", {DType::f64, {20000}, std::vector<std::byte>(160000)}}};
  const auto refused = [&](auto&& write) {
    save(path, "old");
    std::string message;
    {
      const files::FileSizeLimit limit(100000);
      message = files::message_of(write);
    }
    CHECK(message.find(path.string() +
                       " cannot be written (File too large); an old file is as it was; raise "
                       "the limit on file sizes, or write elsewhere") != message.npos);
    CHECK(files::load(path) == "old");
    CHECK(folder.count() == 1);
  };
  refused([&] { write_npy(path, large[0].array); });
  refused([&] { write_npz(path, large); });
  refused([&] { write_safetensors(path, large); });
}

TEST_CASE("atomic file: short and interrupted writes go on") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  // Without SA_RESTART, so that the timer cuts writes short or makes them fail with EINTR.
  struct sigaction quiet {
  }, old{};
  static volatile sig_atomic_t interruptions = 0;
  quiet.sa_handler = [](int) { interruptions = interruptions + 1; };
  REQUIRE(::sigaction(SIGALRM, &quiet, &old) == 0);
  std::string sent(2000000, '\0'), received;
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 3);
  // The reader must not take the signals.
  sigset_t alarms, before;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarms, &before);
  std::thread reader([&] {
    std::vector<char> buffer(30000);
    for (;;) {
      ::usleep(500);
      const auto got = ::read(ends[0], buffer.data(), buffer.size());
      if (got <= 0) break;
      received.append(buffer.data(), static_cast<std::size_t>(got));
    }
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  const itimerval often{{0, 300}, {0, 300}}, never{};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  const int error = detail::write_all(ends[1], files::bytes(sent));
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  ::sigaction(SIGALRM, &old, nullptr);
  CHECK(error == 0);
  CHECK(interruptions > 0);
  CHECK(received == sent);
}

TEST_CASE(
    "atomic file: what a killed writer left behind goes with the next save, and nothing else") {
  const files::TemporaryFolder folder;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder / "x", "test");
    file.write(files::bytes("half"));
    [[maybe_unused]] const auto told = ::write(ends[1], "x", 1);
    for (;;) ::pause();
  }
  char word = 0;
  REQUIRE(::read(ends[0], &word, 1) == 1);
  ::close(ends[0]), ::close(ends[1]);
  // While its writer lives it is let alone, though the number of another process stands in its
  // name.
  files::save(folder / "mine.tmp", "whole");
  files::save(folder / ".maskgrad-other", "whole");
  const auto foreign = folder / ".maskgrad-00000000-1-3.tmp";  // written by another host
  files::save(foreign, "half");
  write_file(folder / "x", files::bytes("whole"), "test");
  CHECK(folder.count() == 5);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  write_file(folder / "y", files::bytes("whole"), "test");
  CHECK(folder.count() == 5);
  for (const auto* name : {"x", "y", "mine.tmp", ".maskgrad-other"}) {
    CHECK(files::load(folder / name) == "whole");
  }
  CHECK(files::load(foreign) == "half");
  // When nobody wrote to it for long its host has ended.
  files::fs::last_write_time(foreign,
                             files::fs::file_time_type::clock::now() - std::chrono::hours(2));
  remove_left_behind(folder.path());
  remove_left_behind(folder / "missing");
  CHECK(folder.count() == 4);
}

TEST_CASE("atomic file: folders are made, and a file in the way is said") {
  const files::TemporaryFolder folder;
  for (const auto* path : {"a/b/c", "a/b/d/", "a"}) {
    make_folders(folder / path, "test");
    CHECK(files::fs::is_directory(folder / path));
  }
  make_folders("", "test");
  files::save(folder / "file", "x");
  CHECK(throws<FileError>([&] { make_folders(folder / "file/a", "test"); }, "test: the folder ",
                          "/file cannot be made (", "; make it, or give another"));
  CHECK(throws<FileError>([&] { make_folders(folder / "file", "test"); }, "/file cannot be made"));
}

}  // namespace maskgrad::tests::test_atomic_file
