// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/node_state.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/unique_fd.h"

namespace ontapnvme::node {
namespace {

// What remembered facts depend on: another value of any of these is another array, SVM or
// subsystem.
std::string SettingsText(const StorageConfig& config) {
  std::string text = config.mgmt_host + " " + std::to_string(config.mgmt_port) + " " + config.svm +
                     " " + config.subsystem + " " + config.aggregate + " " +
                     (config.is_svm_scoped ? "svm" : "cluster");
  for (const auto& portal : config.portals) text += " " + portal;
  return text;
}

}  // namespace

NodeState::NodeState(const Surroundings& surroundings, const StorageConfig& config)
    : facts(surroundings.state_directory, config.storage_id, SettingsText(config)),
      silence(surroundings.state_directory, config.storage_id),
      names(surroundings.resolver, surroundings.state_directory, config.storage_id),
      turns(surroundings.state_directory, config.storage_id),
      link_tasks(surroundings.state_directory, config.storage_id),
      open_snapshots(surroundings.state_directory, config.storage_id),
      disks(surroundings.disk_memory_file),
      members(surroundings.members_file, surroundings.hosts_directory),
      links(surroundings.link_directory, config.storage_id),
      lvm_config_file(surroundings.lvm_config_file),
      state_directory_(surroundings.state_directory),
      storage_id_(config.storage_id) {}

NodeLock NodeState::Lock(const std::string& matter) const {
  return {state_directory_, storage_id_, matter};
}

void NodeState::NoteSubsystem(const std::string& nqn) const {
  if (nqn.empty() || nqn.find('/') != std::string::npos) return;
  const std::string folder = state_directory_ + "/subsystems";
  ::mkdir(state_directory_.c_str(), 0700);
  ::mkdir(folder.c_str(), 0700);
  const UniqueFd file(
      ::open((folder + "/" + nqn).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
}

void NodeState::Forget() const {
  facts.Forget();
  silence.Forget();
  names.Forget();
  turns.Forget();
  link_tasks.ForgetAll();
  open_snapshots.ForgetAll();
}

}  // namespace ontapnvme::node
