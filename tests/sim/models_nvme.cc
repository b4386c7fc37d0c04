// SPDX-License-Identifier: AGPL-3.0-or-later
// Field tables of NVMe. See Model for the format.
#include "schema.h"

namespace ontapnvme::sim::models {

const Model& NvmeNamespace() {
  static const Model model("NvmeNamespace", R"(
name                             str   kc
uuid                             str   kr
auto_delete                      bool  cpx
clone.source.name                str   cp
clone.source.uuid                str   cp
convert.lun.name                 str   c    since=11
convert.lun.uuid                 str   c    since=11
comment                          str   cp   len=0..254
consistency_group.name           str   r    since=16
consistency_group.uuid           str   r    since=16
create_time                      str   r
enabled                          bool  r
encryption.state                 str   r    since=16 enum=unencrypted|software_encrypted|software_conversion_queued|software_encrypting|software_rekeying|software_conversion_paused|software_rekey_paused|software_rekey_queued
location.namespace               str   c
location.node.name               str   r
location.node.uuid               str   r
location.volume.name             str   c
location.volume.uuid             str   c
os_type                          str   c    enum=aix|linux|vmware|windows
space.block_size                 int   c    enum=512|4096
space.guarantee.requested        bool  r
space.guarantee.reserved         bool  r
space.physical_used              int   rx   since=16
space.physical_used_by_snapshots int   rx   since=16
space.size                       int   cp   range=4096..140737488355328
space.used                       int   r
status.container_state           str   r    enum=online|aggregate_offline|volume_offline
status.mapped                    bool  rx
status.read_only                 bool  r
status.state                     str   r    enum=nvfail|offline|online|space_error
subsystem_map.anagrpid           str   rx
subsystem_map.nsid               str   rx
subsystem_map.subsystem.name     str   rx   len=1..64
subsystem_map.subsystem.uuid     str   rx
svm.name                         str   c
svm.uuid                         str   c
)");
  return model;
}

// As far as becoming a namespace takes.
const Model& Lun() {
  static const Model model("Lun", R"(
name                 str   kc
uuid                 str   kr
comment              str   c    len=0..254
create_time          str   r
location.volume.name str   r
location.volume.uuid str   r
os_type              str   c    enum=aix|linux|vmware|windows
space.size           int   c    range=4096..140737488355328
status.mapped        bool  rx
status.state         str   r    enum=nvfail|offline|online
svm.name             str   c
svm.uuid             str   c
)");
  return model;
}

const Model& NvmeSubsystem() {
  static const Model model("NvmeSubsystem", R"(
name                                     str   kc
uuid                                     str   kr
comment                                  str   cp   len=0..255
delete_on_unmap                          bool  cp
hosts                                    list  c
hosts.dh_hmac_chap.controller_secret_key str   cw   since=12
hosts.dh_hmac_chap.group_size            str   c    since=12 enum=none|2048_bit|3072_bit|4096_bit|6144_bit|8192_bit
hosts.dh_hmac_chap.hash_function         str   c    since=12 enum=sha_256|sha_512
hosts.dh_hmac_chap.host_secret_key       str   cw   since=12
hosts.dh_hmac_chap.mode                  str   r    since=12 enum=none|unidirectional|bidirectional
hosts.nqn                                str   c
hosts.priority                           str   c    since=14 enum=regular|high
hosts.tls.configured_psk                 str   cw   since=16
hosts.tls.key_type                       str   c    since=16 enum=none|configured|generated
io_queue.default.count                   int   r    range=1..15
io_queue.default.depth                   int   r    range=16..128
os_type                                  str   c    enum=aix|linux|vmware|windows
serial_number                            str   r
subsystem_maps                           list  r
subsystem_maps.anagrpid                  str   rx
subsystem_maps.namespace.name            str   rx
subsystem_maps.namespace.uuid            str   rx
subsystem_maps.nsid                      str   rx
svm.name                                 str   c
svm.uuid                                 str   c
target_nqn                               str   r
vendor_uuids                             str[] c
)");
  return model;
}

const Model& NvmeSubsystemHost() {
  static const Model model("NvmeSubsystemHost", R"(
nqn                                str   kc
subsystem.uuid                     str   kr
dh_hmac_chap.controller_secret_key str   cw   since=12
dh_hmac_chap.group_size            str   c    since=12 enum=none|2048_bit|3072_bit|4096_bit|6144_bit|8192_bit
dh_hmac_chap.hash_function         str   c    since=12 enum=sha_256|sha_512
dh_hmac_chap.host_secret_key       str   cw   since=12
dh_hmac_chap.mode                  str   r    since=12 enum=none|unidirectional|bidirectional
priority                           str   c    since=14 enum=regular|high
subsystem.name                     str   r    since=12
tls.configured_psk                 str   cw   since=16
tls.key_type                       str   c    since=16 enum=none|configured|generated
)");
  return model;
}

const Model& NvmeSubsystemMap() {
  static const Model model("NvmeSubsystemMap", R"(
namespace.name      str   kc
namespace.uuid      str   kc
subsystem.name      str   kc   len=1..64
subsystem.uuid      str   kc
svm.name            str   kc
svm.uuid            str   kc
anagrpid            str   rx
namespace.node.name str   r
namespace.node.uuid str   r
nsid                str   r
)");
  return model;
}

const Model& NvmeSubsystemController() {
  static const Model model("NvmeSubsystemController", R"(
id                          str   kr
subsystem.uuid              str   kr
dh_hmac_chap.group_size     str   r    since=12 enum=none|2048_bit|3072_bit|4096_bit|6144_bit|8192_bit
dh_hmac_chap.hash_function  str   r    since=12 enum=sha_256|sha_512
dh_hmac_chap.mode           str   r    since=12 enum=none|unidirectional|bidirectional
host.id                     str   r
host.nqn                    str   r
host.transport_address      str   r
interface.name              str   r
interface.transport_address str   r
interface.uuid              str   r
io_queue.count              int   r
io_queue.depth              int[] r
keep_alive_timeout          int   r    since=16
node.name                   str   r
node.uuid                   str   r
subsystem.name              str   r
svm.name                    str   r
svm.uuid                    str   r
tls.cipher                  str   r    since=16 enum=tls_aes_128_gcm_sha256|tls_aes_256_gcm_sha384
tls.key_type                str   r    since=16 enum=none|configured|generated
tls.psk_identity            str   r    since=16
transport_protocol          str   r    since=16 enum=fc_nvme|nvme_tcp|nvme_roce
)");
  return model;
}

const Model& NvmeService() {
  static const Model model("NvmeService", R"(
svm.name str   kc
svm.uuid str   kc
enabled  bool  cp
)");
  return model;
}

const Model& NvmeInterface() {
  static const Model model("NvmeInterface", R"(
name                    str   kr
uuid                    str   kr
enabled                 bool  r
interface_type          str   r    enum=fc_interface|ip_interface
ip_interface.ip.address str   r
node.name               str   r
node.uuid               str   r
svm.name                str   r
svm.uuid                str   r
transport_address       str   r
transport_protocols     str[] r
)");
  return model;
}

}  // namespace ontapnvme::sim::models
