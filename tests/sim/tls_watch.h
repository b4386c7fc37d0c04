// SPDX-License-Identifier: AGPL-3.0-or-later
// What passes through the TLS of a server: counted on the wire, and held up where the settings say so.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>

#include "array.h"

struct ssl_ctx_st;
struct ssl_st;

namespace ontapnvme::sim {

class TlsWatch {
 public:
  using Wait = std::function<void(std::chrono::milliseconds)>;

  // `array` is borrowed and used under `mutex`; `wait` may return early when the server stops.
  TlsWatch(Array* array, std::mutex* mutex, Wait wait);
  TlsWatch(const TlsWatch&) = delete;
  TlsWatch& operator=(const TlsWatch&) = delete;

  // From now on; the context must not outlive this object.
  void Attach(ssl_ctx_st* context);

 private:
  static void OnState(const ssl_st* session, int where, int result);
  static void OnMessage(int is_sent, int version, int type, const void* bytes, std::size_t length,
                        ssl_st* session, void* self);
  void Begins();
  void IsDone(bool is_resumed);
  void Passes(bool is_sent, std::size_t bytes);

  Array* array_;
  std::mutex* mutex_;
  Wait wait_;
};

}  // namespace ontapnvme::sim
