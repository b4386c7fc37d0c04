// SPDX-License-Identifier: AGPL-3.0-or-later
// The header of an answer, line by line.
#include "http/answer_header.h"
#include "fakes/fake_clock.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  fakes::FakeClock clock;
  http::Response response;
  std::string_view rest = fuzz::Text(data, size);
  while (!rest.empty()) http::ReadHeaderLine(fuzz::Take(rest, '\n'), clock, response);
  const Duration wait = response.retry_after.value_or(Duration::zero());
  fuzz::Require(wait >= Duration::zero() && wait <= std::chrono::hours(1),
                "nobody is made to wait for ever");
  fuzz::Require(response.location.size() <= size, "a location is part of the header");
  return 0;
}
