// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/settings_table.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "model/host_port.h"
#include "model/secrets.h"

namespace ontapnvme {
namespace {

using Values = StorageSettings;
using enum SettingKind;
using enum SettingTopic;
using enum SettingChange;

constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint64_t kGiBMax = std::uint64_t{1} << 33U;  // 8 EiB

constexpr std::string_view kSpaceReserves[] = {"none", "volume"};
constexpr std::string_view kRansomwareProtections[] = {"array", "on", "off"};
constexpr std::string_view kTieringPolicies[] = {"none", "snapshot_only", "auto", "all"};

void StoreManagement(Values& values, const std::string& text) {
  const auto address = HostPort::Parse(text, kHttpsPort);
  if (!address.ok()) return;
  values.mgmt_host = address->host;
  values.mgmt_port = address->port;
}

void StorePortal(Values& values, const std::string& text) {
  if (const auto address = HostPort::Parse(text, 0); address.ok()) {
    values.portals.push_back(address->host);
  }
}

void StoreCapacity(Values& values, const std::string& text) {
  values.svm_capacity = GiB(NumberOf(text));
}

void StoreSpaceReserve(Values& values, const std::string& text) {
  values.is_thick = text == "volume";
}

void StoreSnapshotPolicy(Values& values, const std::string& text) {
  values.snapshot_policy = text == "none" ? "" : text;
}

void StoreEncryption(Values& values, const std::string& text) {
  values.encryption = text == "1" ? EncryptionSetting::kOn : EncryptionSetting::kOff;
}

void StoreRansomware(Values& values, const std::string& text) {
  values.ransomware_protection = RansomwareSetting::kArray;
  if (text == "on") values.ransomware_protection = RansomwareSetting::kOn;
  if (text == "off") values.ransomware_protection = RansomwareSetting::kOff;
}

// A row reads from its name to its texts.
constexpr Setting kTable[] = {
    {.name = "mgmt_ip",
     .kind = kHostPort,
     .topic = kArray,
     .is_required = true,
     .change = kFixed,
     .target = &StoreManagement,
     .placeholder = "address[:port]",
     .summary = "management LIF of the cluster or SVM: address or host name, port 443 unless given",
     .manual =
         "Where the array's REST API answers: the management address of the cluster, or that of the\n"
         "SVM together with B<svm_scoped>. An IPv6 address stands in brackets when a port follows.\n"
         "The default port is 443. A name must also stand in the certificate of the array; an address\n"
         "must stand there too unless B<verify_ssl> is 0."},

    {.name = "username",
     .kind = kAccount,
     .topic = kArray,
     .is_required = true,
     .change = kFixed,
     .target = &Values::username,
     .placeholder = "name",
     .summary = "account on the array",
     .manual =
         "The account on the array. L<pve-storage-ontapnvme(7)> says what it must be allowed to do."},

    {.name = "password",
     .kind = kSecret,
     .topic = kArray,
     .is_required = true,
     .placeholder = "text",
     .summary = "password of the account, kept where only root can read it",
     .manual =
         "The password of B<username>. B<pvesm> asks for it when C<--password> comes without a value.\n"
         "A change takes effect with the next request; disks in use do not depend on it."},

    {.name = "vserver",
     .kind = kName,
     .topic = kArray,
     .is_required = true,
     .most = 47,
     .target = &Values::svm,
     .placeholder = "name",
     .summary = "SVM that serves the disks",
     .manual =
         "The SVM that holds the disks and serves them over NVMe/TCP. It can be set anew after the SVM was\n"
         "renamed on the array (a MetroCluster switchover does that): it must be the same SVM."},

    {.name = "verify_ssl",
     .kind = kFlag,
     .topic = kArray,
     .default_value = "1",
     .target = &Values::is_tls_verified,
     .summary = "check the array's certificate",
     .manual =
         "Whether the certificate of B<mgmt_ip> is verified: against the certificate authorities of the\n"
         "node or, if F</etc/pve/priv/storage/ID.ca.pem> exists, against those in that file and no\n"
         "others. With 0 anybody on the way can read the password and pretend to be the array."},

    {.name = "svm_scoped",
     .kind = kFlag,
     .topic = kArray,
     .default_value = "0",
     .target = &Values::is_svm_scoped,
     .summary = "the account belongs to the SVM and sees nothing of the cluster",
     .manual =
         "B<username> is an account of the SVM and B<mgmt_ip> its management address. The cluster's\n"
         "resources, aggregates among them, are then not asked for."},

    {.name = "svm_capacity",
     .kind = kNumber,
     .topic = kArray,
     .least = 1,
     .most = kGiBMax,
     .when_unset = "the SVM's limit",
     .target = &StoreCapacity,
     .placeholder = "GiB",
     .summary = "capacity in GiB to report for an account that cannot see the aggregate",
     .manual =
         "The size that the storage reports, in GiB, in place of the SVM's storage limit; for an SVM\n"
         "that has none, because its account sees no aggregate either: without both, the size is what\n"
         "is used and what is left. What is available is what is left of it, or what the aggregate has\n"
         "left where the array says so and that is less. Needs B<svm_scoped>."},

    {.name = "subsystem",
     .kind = kName,
     .topic = kFabric,
     .is_required = true,
     .change = kFixed,
     .most = 64,
     .target = &Values::subsystem,
     .placeholder = "name",
     .summary = "NVMe subsystem that all nodes of the cluster share",
     .manual =
         "The NVMe subsystem that all nodes of this Proxmox cluster share. It is created with the first\n"
         "activation if it is missing, and every node registers its host NQN there."},

    {.name = "ontap_portal",
     .kind = kHost,
     .topic = kFabric,
     .when_unset = "the SVM's LIFs",
     .target = &StorePortal,
     .placeholder = "address",
     .summary = "data LIF to use instead of those that the array lists: address or host name",
     .manual =
         "A data LIF that nodes connect to, in place of those that the array lists for the SVM. NVMe/TCP\n"
         "uses port 4420. For networks in which nodes reach the array by other addresses than its own.\n"
         "Unset, every enabled data LIF of the SVM with the NVMe/TCP service is used. Give\n"
         "B<ontap_portal2> as well: a storage with one path stops when that controller does."},

    {.name = "ontap_portal2",
     .kind = kHost,
     .topic = kFabric,
     .when_unset = "the SVM's LIFs",
     .target = &StorePortal,
     .placeholder = "address",
     .summary = "a second data LIF, beside 'ontap_portal'",
     .manual = "A second one, on a LIF of the other controller."},

    {.name = "nvme_dhchap_secret",
     .kind = kSecret,
     .topic = kFabric,
     .when_unset = "none",
     .placeholder = "secret",
     .summary = "DH-HMAC-CHAP secret by which nodes prove themselves to the subsystem",
     .manual =
         "With this secret the nodes prove to the array who they are (DH-HMAC-CHAP), before a namespace\n"
         "becomes visible. In the form C<DHHC-1:0X:...:> as B<nvme gen-dhchap-key> prints it. Needs ONTAP\n"
         "9.12.1. A changed one serves a node from its next connection on: restart the nodes one after\n"
         "the other."},

    {.name = "nvme_dhchap_ctrl_secret",
     .kind = kSecret,
     .topic = kFabric,
     .when_unset = "none",
     .placeholder = "secret",
     .summary = "DH-HMAC-CHAP secret by which the subsystem proves itself to nodes",
     .manual =
         "With this one the array proves to the nodes who it is. Needs B<nvme_dhchap_secret>."},

    {.name = "nvme_tls",
     .kind = kFlag,
     .topic = kFabric,
     .default_value = "0",
     .target = &Values::is_nvme_tls,
     .summary = "encrypt the NVMe/TCP connections",
     .manual =
         "Encrypt the traffic to the disks with TLS 1.3. Needs ONTAP 9.16.1, a kernel from 6.7 on and the\n"
         "TLS handshake daemon (Debian package B<ktls-utils>, service B<tlshd>) running on every node, and\n"
         "a pre-shared key."},

    {.name = "nvme_tls_psk",
     .kind = kSecret,
     .topic = kFabric,
     .when_unset = "none",
     .placeholder = "key",
     .summary = "TLS key of the NVMe/TCP connections, in interchange format",
     .manual =
         "The pre-shared key for B<nvme_tls>, in the interchange form C<NVMeTLSkey-1:...:>. The plugin\n"
         "puts it into the keyring B<.nvme> of each node, beside the keys of before. A changed one serves\n"
         "a node from its next connection on."},

    {.name = "aggregate",
     .kind = kName,
     .topic = kDisks,
     .is_required = true,
     .most = 255,
     .target = &Values::aggregate,
     .placeholder = "name",
     .summary = "aggregate on which disks are created",
     .manual =
         "The aggregate that new FlexVols are made in. Without B<svm_scoped> its free space is what the\n"
         "storage reports as available. It can be changed: disks that are there stay where they are."},

    {.name = "storage_prefix",
     .kind = kPrefix,
     .topic = kDisks,
     .most = 64,
     .when_unset = "empty",
     .target = &Values::prefix,
     .placeholder = "text",
     .summary = "what names on the array begin with; changes only while the storage is empty",
     .manual =
         "Begins the name of every object of this storage on the array, and tells storages apart that\n"
         "share an SVM. Disks made under another prefix would not be seen any more, so a change is\n"
         "refused while there are disks."},

    {.name = "space_reserve",
     .kind = kWord,
     .topic = kDisks,
     .words = kSpaceReserves,
     .default_value = "none",
     .target = &StoreSpaceReserve,
     .summary = "whether disks reserve their space on the aggregate: none is thin, volume is thick",
     .manual =
         "B<none>: a disk takes the space that is written (thin). B<volume>: its full size is set aside\n"
         "when it is created, so that it cannot run out of space."},

    {.name = "autosize",
     .kind = kFlag,
     .topic = kDisks,
     .default_value = "1",
     .target = &Values::is_autosize_on,
     .summary = "let the array grow a volume whose snapshots need room",
     .manual =
         "Let the FlexVol around a disk grow when snapshots fill it. Without it a volume that is full of\n"
         "snapshots refuses writes."},

    {.name = "autosize_max_percent",
     .kind = kNumber,
     .topic = kDisks,
     .least = 105,
     .most = 1000,
     .default_value = "300",
     .target = &Values::autosize_max_percent,
     .placeholder = "per cent",
     .summary = "how far a volume may grow, in percent of its first size",
     .manual = "How far it may grow, in per cent of the size it was created with."},

    {.name = "snapshot_reserve",
     .kind = kNumber,
     .topic = kDisks,
     .least = 0,
     .most = 90,
     .default_value = "0",
     .target = &Values::snapshot_reserve_percent,
     .placeholder = "per cent",
     .summary = "percentage of each volume kept for snapshots",
     .manual =
         "The share of the FlexVol that is set aside for snapshots. The volume is made larger by as much,\n"
         "so the disk keeps its full size."},

    {.name = "snapshot_policy",
     .kind = kName,
     .topic = kDisks,
     .change = kReachesDisks,
     .most = 255,
     .default_value = "none",
     .target = &StoreSnapshotPolicy,
     .placeholder = "name",
     .summary = "snapshot policy of the array, on the VMs' consistency groups",
     .manual =
         "The array's snapshot schedule, for example B<default>. It is set on the consistency groups of\n"
         "machines; a change reaches those that are there, with a warning that names the ones where it\n"
         "failed. Its snapshots are not Proxmox's: they are not listed. A rollback past them keeps them,\n"
         "where the array can overwrite a disk in place; elsewhere they block it."},

    {.name = "snapshot_autodelete",
     .kind = kFlag,
     .topic = kDisks,
     .change = kReachesDisks,
     .default_value = "0",
     .target = &Values::is_snapshot_autodelete_on,
     .summary = "let the array delete snapshots that Proxmox VE did not make when a volume is full",
     .manual =
         "Let the array delete snapshots of a volume that runs full and cannot grow. Proxmox's own go\n"
         "last from ONTAP 9.13.1 on; before, the oldest go first, and snapshots that Proxmox still lists\n"
         "may be among them. A change reaches disks that are there."},

    {.name = "ransomware_protection",
     .kind = kWord,
     .topic = kDisks,
     .change = kReachesDisks,
     .words = kRansomwareProtections,
     .default_value = "array",
     .target = &StoreRansomware,
     .summary = "the array's anti-ransomware protection of disks: array, on or off",
     .manual =
         "The array can watch the disks for encryption by ransomware and take snapshots of its own\n"
         "meanwhile (ONTAP 9.17.1 or later with the licence). B<array> says nothing about it: from\n"
         "9.18.1 on that means that many arrays turn it on. B<on> and B<off> are set on each disk once\n"
         "it is there; a refusal is a warning, for example where several administrators must agree.\n"
         "A change to B<on> or B<off> reaches disks that are there.\n"
         "Nobody can delete these snapshots before they expire, after about 12 hours. Until then a disk\n"
         "goes back to an older snapshot only where the array can overwrite it in place, and one that is\n"
         "deleted may stay on the array, hidden.\n"
         "A guest that encrypts its own disk may look like an attack."},

    {.name = "encryption",
     .kind = kFlag,
     .topic = kDisks,
     .when_unset = "what the aggregate gives",
     .target = &StoreEncryption,
     .summary = "volume encryption on (NAE or NVE) or off",
     .manual =
         "B<1>: encrypted; with the aggregate's key where it has one (NAE), else with a key of the\n"
         "volume's own (NVE). B<0>: not encrypted, which an NAE aggregate refuses."},

    {.name = "tiering_policy",
     .kind = kWord,
     .topic = kDisks,
     .words = kTieringPolicies,
     .when_unset = "left to the array",
     .target = &Values::tiering_policy,
     .summary = "which blocks move to the aggregate's cloud tier: none, snapshot_only, auto or all",
     .manual = "Which cold blocks move to the object store of a FabricPool aggregate."},

    {.name = "qos_policy",
     .kind = kName,
     .topic = kDisks,
     .change = kReachesDisks,
     .most = 127,
     .when_unset = "none",
     .target = &Values::qos_policy,
     .placeholder = "name",
     .summary = "QoS policy group of each disk; a change reaches disks that exist",
     .manual =
         "The QoS policy group that limits each disk. It must exist, and excludes\n"
         "B<adaptive_qos_policy>: a volume has one policy. A change reaches disks that are there, with a\n"
         "warning that names those where it failed."},

    {.name = "adaptive_qos_policy",
     .kind = kName,
     .topic = kDisks,
     .change = kReachesDisks,
     .most = 127,
     .when_unset = "none",
     .target = &Values::adaptive_qos_policy,
     .placeholder = "name",
     .summary = "adaptive QoS policy group of the disks, instead of 'qos_policy'",
     .manual = "The adaptive QoS policy group, likewise."},

    {.name = "force_delete",
     .kind = kFlag,
     .topic = kDisks,
     .change = kLocal,
     .default_value = "0",
     .target = &Values::is_force_delete,
     .summary = "delete disks at once instead of leaving them to the array's recovery queue",
     .manual =
         "B<0>: a deleted disk stays in the array's recovery queue for a while (12 hours unless\n"
         "configured otherwise), where the administrator of the array can bring it back; its space is\n"
         "freed after that. B<1>: it is gone at once."},

    {.name = "snapshot_import",
     .kind = kFlag,
     .topic = kDisks,
     .change = kLocal,
     .default_value = "0",
     .target = &Values::is_snapshot_import_on,
     .summary =
         "list the snapshots that the array has as images to import, with content type 'import'",
     .manual =
         "B<1>: where the storage has the content type B<import>, its Import tab lists all snapshots of its\n"
         "disks, those of schedules and of anti-ransomware protection as well. Importing one copies its bytes\n"
         "into a new disk. Whoever may clone the VM that a snapshot is of can import it, and nobody else.\n"
         "Needs Proxmox VE 9. B<0>: nothing is listed there."},

    {.name = "debug",
     .kind = kNumber,
     .topic = kDiagnosis,
     .change = kLocal,
     .least = 0,
     .most = 2,
     .default_value = "0",
     .target = &Values::debug,
     .placeholder = "level",
     .summary = "1: say what was decided and why; 2: every request to the array as well",
     .manual =
         "What is said besides warnings, in the task log or, by daemons, in the system log, without secrets.\n"
         "B<1>: what was decided and why. B<2>: every request to the array and how long it took as well."},
};

constexpr bool IsComplete(const Setting& setting) {
  const bool is_secret = setting.kind == kSecret;
  const bool is_bounded =
      setting.kind == kName || setting.kind == kPrefix || setting.kind == kNumber;
  return !setting.summary.empty() && !setting.manual.empty() &&
         is_secret == std::holds_alternative<std::monostate>(setting.target) &&
         is_bounded == (setting.most != 0) && (setting.kind == kWord) == !setting.words.empty() &&
         // what holds without it is said once
         (setting.is_required ? 1 : 0) + (setting.default_value.empty() ? 0 : 1) +
                 (setting.when_unset.empty() ? 0 : 1) ==
             1;
}

constexpr bool IsUnique(const Setting& setting) {
  return std::count_if(std::begin(kTable), std::end(kTable),
                       [&](const Setting& other) { return other.name == setting.name; }) == 1;
}

constexpr bool HasSecretField(const Setting& setting) {
  return std::any_of(kSecretFields.begin(), kSecretFields.end(),
                     [&](const SecretField& field) { return field.setting == setting.name; });
}

static_assert(std::all_of(std::begin(kTable), std::end(kTable), IsComplete));
static_assert(std::all_of(std::begin(kTable), std::end(kTable), IsUnique));
static_assert(std::all_of(std::begin(kTable), std::end(kTable),
                          [](const Setting& setting) {
                            return HasSecretField(setting) == (setting.kind == kSecret);
                          }),
              "the rows of kind kSecret are those in kSecretFields");
static_assert(std::count_if(std::begin(kTable), std::end(kTable), HasSecretField) ==
                  std::ssize(kSecretFields),
              "every secret in kSecretFields has its row");

}  // namespace

std::span<const Setting> SettingsTable() {
  return kTable;
}

}  // namespace ontapnvme
