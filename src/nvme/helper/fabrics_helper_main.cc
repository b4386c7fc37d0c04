// SPDX-License-Identifier: AGPL-3.0-or-later
// The helper program nvme-fabrics: does for its caller what may block in the kernel. Reads one
// request from standard input, writes one reply to standard output (nvme/helper/helper_protocol.h), takes
// no arguments and reads no environment.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/errno_text.h"
#include "base/secret.h"
#include "base/unique_fd.h"
#include "nvme/helper/connect_line.h"
#include "nvme/helper/helper_protocol.h"
#include "nvme/helper/libnvme_adaptor.h"
#include "nvme/kernel/kernel_names.h"
#include "nvme/kernel/rooted_files.h"

namespace ontapnvme::nvme {
namespace {

constexpr const char* kFabricsDevice = "/dev/nvme-fabrics";

std::string Failure(int code, const std::string& text) {
  return "error " + std::to_string(code) + " " + CleanText(text) + "\n";
}

std::string Failure(int code, const char* doing) {
  return Failure(code, std::string(doing) + ": " + ErrnoText(code));
}

std::string Field(const RequestFields& request, std::string_view key) {
  const auto field = request.find(key);
  return field == request.end() ? std::string() : std::string(field->second.Reveal());
}

// Loading the transport brings the device; a node that has ever connected has it already.
void LoadTransport() {
  std::array<std::string, 3> words{"/sbin/modprobe", "-q", "nvme-tcp"};
  const std::array<char*, 4> arguments{words[0].data(), words[1].data(), words[2].data(), nullptr};
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  const std::array<char*, 2> environment{path.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  if (::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(),
                    environment.data()) == 0) {
    ::waitpid(child, nullptr, 0);
  }
  ::posix_spawn_file_actions_destroy(&actions);
}

UniqueFd OpenFabrics() {
  UniqueFd fd(::open(kFabricsDevice, O_RDWR | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
    LoadTransport();
    fd = UniqueFd(::open(kFabricsDevice, O_RDWR | O_CLOEXEC));
  }
  return fd;
}

std::string ReadText(int fd) {
  std::array<char, 4096> text{};
  const ssize_t got = ::read(fd, text.data(), text.size());
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

// `fd` is spent by reading what the kernel knows: the connection is written through another one.
std::set<std::string, std::less<>> KernelOptions() {
  const UniqueFd fd = OpenFabrics();
  return fd ? ParseOptionNames(ReadText(fd.get())) : std::set<std::string, std::less<>>();
}

// A kernel without it takes the secrets, and says nothing when the array does not ask for them: the
// connection would stand without either side having proven anything. It is taken down again.
bool HasAuthentication(const std::string& controller) {
  const RootedFiles sys("/sys");
  const std::string directory = "class/nvme/" + controller + "/";
  if (sys.Exists(directory + "dhchap_secret")) return true;
  (void)sys.Write(directory + "delete_controller", "1");
  return false;
}

std::string Connect(RequestFields request) {
  const unsigned queues = IoQueuesFor(::sysconf(_SC_NPROCESSORS_ONLN));
  auto line = BuildConnectLine(request, queues);
  if (!line) return Failure(EINVAL, line.error().reason());
  const UniqueFd fd = OpenFabrics();
  if (!fd) return Failure(errno, "cannot open /dev/nvme-fabrics");
  if (const auto missing = MissingOption(request, KernelOptions())) {
    return Failure(EOPNOTSUPP, "this kernel has no option '" + *missing + "'");
  }
  if (const auto key = request.find("tls_psk"); key != request.end()) {
    // The helpers of other paths do the same now: who comes second must find the key of the first.
    const UniqueFd turn = OpenFabrics();
    if (!turn || ::flock(turn.get(), LOCK_EX) != 0) return Failure(errno, "cannot take turns");
    const auto serial = InsertTlsKey(key->second, Field(request, "hostnqn"), Field(request, "nqn"));
    if (!serial) {
      return Failure(serial.error().code() == ErrorCode::kUnsupported ? EOPNOTSUPP : ENOKEY,
                     serial.error().Plain());
    }
    // By its number: the keyring keeps the keys of before, and the kernel would take any of them.
    request.insert_or_assign("tls_key", Secret(std::to_string(*serial)));
    line = BuildConnectLine(request, queues);
    if (!line) return Failure(EINVAL, line.error().reason());
  }
  const std::string_view text = line->Reveal();
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Failure(errno, "the kernel refused the connection");
  }
  const auto instance = ParseInstance(ReadText(fd.get()));
  if (!instance) return Failure(EPROTO, "the kernel did not name the new controller");
  const std::string name = "nvme" + std::to_string(*instance);
  if (request.contains("dhchap_secret") && !HasAuthentication(name)) {
    return Failure(EOPNOTSUPP, "this kernel is built without DH-HMAC-CHAP");
  }
  return "ok " + name + "\n";
}

// Blocks until the kernel has torn the controller down.
std::string Disconnect(const RequestFields& request) {
  const RootedFiles sys("/sys");
  const std::string name = Field(request, "name");
  const std::string nqn = Field(request, "nqn");
  if (!ParseControllerName(name) || nqn.empty()) return Failure(EINVAL, "no controller is named");
  const std::string directory = "class/nvme/" + name + "/";
  if (sys.Attribute(directory + "subsysnqn") != nqn) {
    return Failure(ENOENT, "no controller '" + name + "' of that subsystem");
  }
  const Status written = sys.Write(directory + "delete_controller", "1");
  if (written) return "ok " + name + "\n";
  if (!sys.Exists(directory)) return Failure(ENOENT, "the controller is gone");
  return Failure(EIO, written.error().Plain());
}

std::string Topology() {
  const auto listed = ScanTopology();
  if (!listed) return Failure(EIO, listed.error().Plain());
  std::string reply;
  for (const auto& each : *listed) {
    reply +=
        "ns " + each.name + " " + CleanText(each.uuid) + " " + CleanText(each.subsystem_nqn) + "\n";
  }
  return reply + "ok\n";
}

std::string Answer(const RequestFields& request) {
  const std::string verb = Field(request, "verb");
  if (verb == "connect") return Connect(request);
  if (verb == "disconnect") return Disconnect(request);
  if (verb == "topology") return Topology();
  return Failure(EINVAL, "unknown verb");
}

// Secrets pass through this process: no core file, and no ptrace by others of the same user.
void Harden() {
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

RequestFields ReadRequest() {
  std::string text;
  text.reserve(2 * kRequestBytesMax);
  while (text.size() < kRequestBytesMax) {
    const std::size_t had = text.size();
    text.resize(kRequestBytesMax);
    const ssize_t got = ::read(STDIN_FILENO, text.data() + had, kRequestBytesMax - had);
    text.resize(had + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got == 0 || (got < 0 && errno != EINTR)) break;
  }
  RequestFields request = DecodeRequest(text);
  WipeText(text);
  return request;
}

void WriteReply(std::string_view reply) {
  while (!reply.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, reply.data(), reply.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    reply.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace
}  // namespace ontapnvme::nvme

int main() {
  using namespace ontapnvme::nvme;
  Harden();
  RequestFields request = ReadRequest();
  // The work is done by a child of this process, which the caller does not know: when it is stuck
  // in the kernel, deaf to SIGKILL, init inherits it, and the caller keeps no zombie. Both are in
  // one process group, so the caller can kill either.
  const pid_t worker = ::fork();
  if (worker > 0) ::_exit(0);
  const std::string reply = Answer(request);
  request.clear();  // wipes
  WriteReply(reply);
  ::_exit(0);
}
