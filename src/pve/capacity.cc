// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/capacity.h"

#include <algorithm>

namespace ontapnvme::pve {
namespace {

constexpr Duration kKeptFor{5000};

ByteCount Minus(ByteCount from, ByteCount what) {
  return ByteCount{from > what ? from.bytes() - what.bytes() : 0};
}

}  // namespace

Result<CapacityInfo> CapacitySource::Read(const Deadline& deadline) {
  return context_->config.is_svm_scoped ? ReadOfSvm(deadline) : ReadOfAggregate(deadline);
}

void CapacitySource::Keep(const Result<CapacityInfo>& answer, Clock& clock) {
  kept_ = answer;
  kept_at_ = clock.Now();
}

std::optional<Result<CapacityInfo>> CapacitySource::TakeKept(Clock& clock) {
  auto taken = std::exchange(kept_, std::nullopt);
  if (taken && clock.Now() - kept_at_ > kKeptFor) taken.reset();
  return taken;
}

Result<CapacityInfo> CapacitySource::ReadOfAggregate(const Deadline& deadline) {
  TRY(const auto aggregate, context_->svms.ReadAggregate(context_->config.aggregate, deadline));
  return CapacityInfo{
      .total = aggregate.size, .available = aggregate.available, .used = aggregate.used};
}

Result<CapacityInfo> CapacitySource::ReadOfSvm(const Deadline& deadline) {
  auto& context = *context_;
  const auto& config = context.config;
  TRY(const auto svm, context.svms.ReadCapacity(config.svm, deadline));
  CapacityInfo info;
  if (svm.limit) {
    info.total = *svm.limit;
    info.used = svm.allocated.value_or(ByteCount{});
  }
  if (config.svm_capacity || !svm.limit) {
    TRY(const auto volumes, context.volumes.List("*", deadline));
    std::uint64_t used_bytes = 0;
    for (const auto& volume : volumes) used_bytes += volume.used.bytes();
    info.used = ByteCount{used_bytes};
    info.total = config.svm_capacity.value_or(info.total);
  }
  info.available = Minus(info.total, info.used);
  TRY(const auto free, context.svms.ReadDelegatedAvailable(config.svm, config.aggregate, deadline));
  if (free && info.total.bytes() == 0) info.total = ByteCount{info.used.bytes() + free->bytes()};
  if (free)
    info.available = config.svm_capacity || svm.limit ? std::min(info.available, *free) : *free;
  return info;
}

}  // namespace ontapnvme::pve
