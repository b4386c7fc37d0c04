// SPDX-License-Identifier: AGPL-3.0-or-later
// The kernel's announcements of block devices and NVMe controllers, armed before the action that
// they follow, so that none is missed in between.
#pragma once

#include <memory>
#include <string_view>

#include "base/deadline.h"
#include "nvme/host.h"

namespace ontapnvme::nvme {

// Wakes a wait when it is worth looking again.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Waits `duration`, or less when an event of ours arrives: true then. May return early without
  // one (a signal, an event of others).
  virtual bool Wait(Duration duration) = 0;
};

// A netlink socket on the kernel's uevent group; sees everything from its creation on. Where the
// socket cannot be had, or loses events, waiting degrades to looking at short intervals.
std::unique_ptr<EventSource> OpenUevents();

// True when a raw uevent ("add@/devices/…" and NUL-separated KEY=value) is about an NVMe disk,
// controller or subsystem.
bool IsNvmeUevent(std::string_view message);

class UeventWatch : public Watch {
 public:
  explicit UeventWatch(std::unique_ptr<EventSource> events) : events_(std::move(events)) {}
  EventSource& events() { return *events_; }

 private:
  std::unique_ptr<EventSource> events_;
};

}  // namespace ontapnvme::nvme
