// What the sandbox test calls from inside a worker: raw system calls, so that no library can refuse before
// the kernel does. Each returns the errno of the attempt, 0: it was allowed.
#include "worker/native/natives.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "worker/native/values.h"

namespace vigil::worker {
namespace {

void Return(const Arguments& args, long result) { args.GetReturnValue().Set(result < 0 ? errno : 0); }

void Open(const Arguments& args) {
  const std::string path = ToUtf8(args.GetIsolate(), args[0]);
  Return(args, ::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY));
}

void Create(const Arguments& args) {
  const std::string path = ToUtf8(args.GetIsolate(), args[0]);
  Return(args, ::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT, 0600));
}

void Socket(const Arguments& args) { Return(args, ::syscall(SYS_socket, AF_INET, SOCK_STREAM, 0)); }

void Execve(const Arguments& args) {
  const std::string path = ToUtf8(args.GetIsolate(), args[0]);
  const char* const arguments[] = {path.c_str(), nullptr};
  const char* const environment[] = {nullptr};
  Return(args, ::syscall(SYS_execve, path.c_str(), arguments, environment));
}

void Ptrace(const Arguments& args) { Return(args, ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)); }

// Signal 0 to a process: finds out whether it may be signalled, hurts nobody.
void Kill(const Arguments& args) {
  const double pid = args[0]->IsNumber() ? args[0].As<v8::Number>()->Value() : 1;
  Return(args, ::syscall(SYS_kill, static_cast<pid_t>(pid), 0));
}

void Fork(const Arguments& args) { Return(args, ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

void RaiseLimit(const Arguments& args) {
  const rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  Return(args, ::syscall(SYS_prlimit64, 0, RLIMIT_DATA, &limit, nullptr));
}

// A call that nothing here ever needs: the process does not survive it.
void Mount(const Arguments& args) { Return(args, ::syscall(SYS_mount, "none", "/", "tmpfs", 0, nullptr)); }

void CollectGarbage(const Arguments& args) { args.GetIsolate()->LowMemoryNotification(); }

}  // namespace

void InstallTestNatives(v8::Local<v8::Context> context) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::Local<v8::Object> test = v8::Object::New(isolate);
  SetFunction(context, test, "open", Open);
  SetFunction(context, test, "create", Create);
  SetFunction(context, test, "socket", Socket);
  SetFunction(context, test, "execve", Execve);
  SetFunction(context, test, "ptrace", Ptrace);
  SetFunction(context, test, "kill", Kill);
  SetFunction(context, test, "fork", Fork);
  SetFunction(context, test, "raiseLimit", RaiseLimit);
  SetFunction(context, test, "mount", Mount);
  SetFunction(context, test, "gc", CollectGarbage);
  context->Global()->DefineOwnProperty(context, Symbol(isolate, "__vigilTest"), test, v8::DontEnum).Check();
}

}  // namespace vigil::worker
