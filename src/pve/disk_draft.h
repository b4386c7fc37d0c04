// SPDX-License-Identifier: AGPL-3.0-or-later
// A disk in the making: FlexVol, namespace, map. What an operation has made so far, and how it is
// taken away again when a later step fails.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class DiskDraft {
 public:
  // `flexvol` is the name of the FlexVol to be, `operation_id` the one in its comment.
  DiskDraft(Context& context, const ArrayFacts& facts, std::string flexvol,
            std::string operation_id)
      : context_(&context),
        subsystem_uuid_(facts.subsystem_uuid),
        flexvol_(std::move(flexvol)),
        operation_id_(std::move(operation_id)) {}

  // Makes the FlexVol by `create`. A lost answer, or a name that is suddenly taken, is settled by
  // the mark: only this operation's id makes the object ours. kAlreadyExists when somebody else has
  // the name by now.
  Status MakeVolume(const std::function<Result<Uuid>()>& create, const Deadline& deadline);
  // Makes the namespace, of exactly that size.
  Status MakeNamespace(ByteCount size, const std::string& comment, const Deadline& deadline);
  // Takes the namespace that a FlexClone came with.
  Status TakeNamespace(const Deadline& deadline);
  Status Map(const Deadline& deadline);

  // True when MakeVolume found the name taken by somebody else: nothing was made.
  bool is_name_lost() const { return is_name_lost_; }
  const std::string& flexvol() const { return flexvol_; }
  const Uuid& volume() const { return *volume_; }
  const ontap::NvmeNamespace& ns() const { return *ns_; }

  // Removes what was made and returns `error`, with what could not be removed. New and empty, or a
  // clone that nobody has seen: nothing in it is worth the recovery queue.
  Error Undo(Error error, const Deadline& deadline) const;

 private:
  Context* context_;
  Uuid subsystem_uuid_;
  std::string flexvol_;
  std::string operation_id_;
  std::optional<Uuid> volume_;
  std::optional<ontap::NvmeNamespace> ns_;
  bool is_name_lost_ = false;
};

}  // namespace ontapnvme::pve
