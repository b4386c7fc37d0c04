// SPDX-License-Identifier: AGPL-3.0-or-later
#include "tls_watch.h"

#include <openssl/ssl.h>

#include <utility>

namespace ontapnvme::sim {

TlsWatch::TlsWatch(Array* array, std::mutex* mutex, Wait wait)
    : array_(array), mutex_(mutex), wait_(std::move(wait)) {}

void TlsWatch::Attach(ssl_ctx_st* context) {
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_info_callback(context, &TlsWatch::OnState);
  SSL_CTX_set_msg_callback(context, &TlsWatch::OnMessage);
  SSL_CTX_set_msg_callback_arg(context, this);
}

void TlsWatch::OnState(const ssl_st* session, int where, int /*result*/) {
  auto* watch = static_cast<TlsWatch*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)));
  if ((where & SSL_CB_HANDSHAKE_START) != 0) watch->Begins();
  if ((where & SSL_CB_HANDSHAKE_DONE) != 0) watch->IsDone(SSL_session_reused(session) != 0);
}

// Every record is announced by its header, which ends with the length of what follows.
void TlsWatch::OnMessage(int is_sent, int /*version*/, int type, const void* bytes,
                         std::size_t length, ssl_st* /*session*/, void* self) {
  if (type != SSL3_RT_HEADER || length != SSL3_RT_HEADER_LENGTH) return;
  const auto* header = static_cast<const unsigned char*>(bytes);
  const std::size_t payload = (std::size_t{header[3]} << 8U) | header[4];
  static_cast<TlsWatch*>(self)->Passes(is_sent != 0, length + payload);
}

void TlsWatch::Begins() {
  std::chrono::milliseconds cost{0};
  {
    const std::lock_guard<std::mutex> lock(*mutex_);
    ++array_->journal().traffic().tcp_sessions;
    cost = array_->world().settings.handshake;
  }
  if (cost.count() > 0) wait_(cost);
}

void TlsWatch::IsDone(bool is_resumed) {
  const std::lock_guard<std::mutex> lock(*mutex_);
  ++array_->journal().traffic().tls_sessions;
  if (is_resumed) ++array_->journal().traffic().tls_resumed;
}

void TlsWatch::Passes(bool is_sent, std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(*mutex_);
  Traffic& traffic = array_->journal().traffic();
  (is_sent ? traffic.bytes_sent : traffic.bytes_received) += bytes;
}

}  // namespace ontapnvme::sim
