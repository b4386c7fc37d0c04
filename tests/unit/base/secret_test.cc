// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/secret.h"

#include <gtest/gtest.h>

#include <array>
#include <new>
#include <string>
#include <type_traits>

namespace ontapnvme {
namespace {

// Nothing turns a secret into text but Reveal.
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(SecretTest, RevealsWhatItWasGiven) {
  EXPECT_EQ(Secret("s3cret").Reveal(), "s3cret");
  EXPECT_TRUE(Secret().empty());
}

TEST(SecretTest, CopiesAndMoves) {
  Secret first("one");
  Secret copy = first;
  EXPECT_EQ(copy.Reveal(), "one");
  Secret moved = std::move(first);
  EXPECT_EQ(moved.Reveal(), "one");
  EXPECT_TRUE(first.empty());  // NOLINT: the state after a move is part of the contract
  copy = Secret("two");
  EXPECT_EQ(copy.Reveal(), "two");
  moved = copy;
  EXPECT_EQ(moved.Reveal(), "two");
  const Secret& itself = moved;
  moved = itself;
  EXPECT_EQ(moved.Reveal(), "two");
}

TEST(SecretTest, IsWipedWhereItStood) {
  // A short secret lives inside the object, whose storage outlives it here.
  alignas(Secret) std::array<unsigned char, sizeof(Secret)> storage{};
  auto* secret = new (storage.data()) Secret("hunter2");
  secret->~Secret();
  const std::string_view bytes(reinterpret_cast<const char*>(storage.data()), storage.size());
  EXPECT_EQ(bytes.find("hunter"), std::string_view::npos);
}

TEST(WipeTextTest, EmptiesAndOverwrites) {
  std::string text(100, 'k');
  const char* where = text.data();
  WipeText(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(where[1], '\0');  // still the string's own buffer
}

}  // namespace
}  // namespace ontapnvme
