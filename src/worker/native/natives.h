// The functions of the `native` object that the bundle gets (runtime/native.ts has their types). Each file
// installs its group; all throw TypeError when they are misused.
#pragma once

#include <v8-context.h>
#include <v8-local-handle.h>
#include <v8-object.h>

namespace vigil::worker {

// send requestSync setTimer clearTimer wallNowMs monoNowMs realMonoUs checkpoint wantCheckpointEnd exit
void InstallChannelNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// runScript compileCheck guardCode
void InstallScriptNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// From here on host.shapeStack says what the stacks of errors are.
void ShapeStacks(v8::Isolate* isolate);
// runModule, and what V8 asks the embedder about modules
void InstallModuleNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// serialize deserialize
void InstallCloneNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// utf8Encode utf8EncodeInto utf8Decode latin1Decode
void InstallTextNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// codecOpen codecRun codecClose
void InstallCompressionNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// urlParse urlSet
void InstallUrlNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// randomFill, Math.random, and the object crypto: digest hmac isEqual sizeOf copy derive firstBits
// toBase64Url fromBase64Url and what the next four install
void InstallCryptoNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// aes
void InstallCryptoCipherNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> crypto);
// generateKeyPair readKey partsOfKey keyFromParts pointOf publicKeyOf
void InstallCryptoKeyNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> crypto);
// agree encapsulate decapsulate
void InstallCryptoAgreeNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> crypto);
// sign verify rsaOaep
void InstallCryptoSignNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> crypto);
// previewPromise isProxy exceptionThrown exceptionRevoked
void InstallInspectNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native);
// The global __vigilTest: attempts to leave the sandbox, gc and crash. Only when Start asks for it.
void InstallTestNatives(v8::Local<v8::Context> context);

}  // namespace vigil::worker
