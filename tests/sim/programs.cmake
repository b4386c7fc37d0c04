# SPDX-License-Identifier: AGPL-3.0-or-later
# What the simulator is made of.
add_library(ontap_sim_core STATIC
    array.cc
    body_check.cc
    call.cc
    configfs.cc
    control.cc
    control_nvme.cc
    faults.cc
    file_store.cc
    filter.cc
    initial_state.cc
    jobs.cc
    journal.cc
    listing.cc
    memory_store.cc
    models_cluster.cc
    models_group.cc
    models_nvme.cc
    models_volume.cc
    namespace_create.cc
    nvmet_fabric.cc
    query.cc
    rest_aggregates.cc
    rest_cluster.cc
    rest_multi_admin.cc
    rest_consistency_groups.cc
    rest_group_snapshots.cc
    rest_interfaces.cc
    rest_jobs.cc
    rest_luns.cc
    rest_namespaces.cc
    rest_nvme_services.cc
    rest_qos_policies.cc
    rest_recovery_queue.cc
    rest_snapshot_policies.cc
    rest_snapshots.cc
    rest_subsystem_controllers.cc
    rest_subsystem_hosts.cc
    rest_subsystem_maps.cc
    rest_subsystems.cc
    rest_svms.cc
    rest_volumes.cc
    ransomware.cc
    roles.cc
    schema.cc
    selection.cc
    snapshot_rules.cc
    switches.cc
    tls_keys.cc
    volume_change.cc
    volume_create.cc
    volume_rules.cc
    world.cc)
# As for the tests: most of the time goes into reading this one header. Not for g++, which then takes
# library code for ours and, optimising it, warns of what is not there.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_precompile_headers(ontap_sim_core PRIVATE <functional> <map> <string> <vector> <nlohmann/json.hpp>)
endif()
target_link_libraries(ontap_sim_core
    PUBLIC nlohmann_json::nlohmann_json
    PRIVATE OpenSSL::Crypto ${simulator_options})

# The NVMe/TCP target of our own.
add_library(ontap_sim_target STATIC
    nvme_target.cc
    nvme/admin_commands.cc
    nvme/connection.cc
    nvme/controller.cc
    nvme/exported_namespace.cc
    nvme/fabrics_commands.cc
    nvme/identify.cc
    nvme/io_commands.cc
    nvme/log_pages.cc
    nvme/pdu.cc
    nvme/server.cc
    nvme/target_state.cc)
target_link_libraries(ontap_sim_target PUBLIC ontap_sim_core Threads::Threads PRIVATE ${simulator_options})

add_library(ontap_sim_server STATIC certificate.cc control_socket.cc https_server.cc tls_watch.cc)
target_link_libraries(ontap_sim_server
    PUBLIC ontap_sim_core PkgConfig::HTTPLIB OpenSSL::SSL OpenSSL::Crypto Threads::Threads
    PRIVATE ${simulator_options})

add_executable(ontap-sim main.cc)
# Libraries beside it come first, so that it runs on a release that has others.
set_target_properties(ontap-sim PROPERTIES BUILD_RPATH "$ORIGIN")
target_link_libraries(ontap-sim PRIVATE ontap_sim_server ontap_sim_target CLI11::CLI11 ${simulator_options})
