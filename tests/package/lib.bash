# shellcheck shell=bash
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# shellcheck disable=SC2034,SC2016 # for who reads it in; perl expands these
#
# For what runs inside a root of tests/package: checks, and the node that apt finds there. To be sourced.

readonly package=pve-storage-ontapnvme predecessor=pve-storage-ontap-nvmetcp
readonly plugin=/usr/share/perl5/PVE/Storage/Custom/OntapNvmeTcpPlugin.pm
readonly log=/var/log/last-command units=/var/log/units triggers=/var/log/triggers

passed=0
failed=0
# says WHAT COMMAND...: the command succeeds.
says() {
    local what=$1
    shift
    if "$@" >"$log" 2>&1; then
        echo "ok      $what"
        passed=$((passed + 1))
    else
        echo "not ok  $what"
        tail -n 40 "$log" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
}
finish() {
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}
not() { ! "$@"; }

install() { apt-get -q -y -o APT::Install-Recommends=true install "$@"; }
version_of() { dpkg-query -W -f '${Version}' "$1"; }
is_version() { [[ $(version_of "$package") == "$1" ]]; }
status_of() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || :; }
is_installed() { [[ $(status_of "$1") == installed ]]; }
is_whole() { [[ -z $(dpkg --audit) ]] && apt-get -q check; }

# A node as far as the package can tell: what an administrator has below /etc/pve, and a systemd that
# writes down what it is told.
make_node() {
    mkdir -p /etc/pve/priv/storage /run/systemd/system
    printf 'dir: local\n\tpath /var/lib/vz\n\nontapnvme: netapp\n\tmgmt_ip 192.0.2.1\n\tusername pve\n' \
        >/etc/pve/storage.cfg
    local suffix
    for suffix in pw dhchap dhchapc tlspsk ca.pem disks; do
        (umask 077 && echo "content of $suffix" >"/etc/pve/priv/storage/netapp.$suffix")
    done
    (umask 077 && echo 01234567-89ab-4cde-8f01-23456789abcd >/etc/pve/priv/ontapnvme-cluster-id)
    printf '#!/bin/sh\necho "$*" >>%s\n' "$units" >/usr/bin/systemctl
    chmod 755 /usr/bin/systemctl
    : >"$units"
    : >"$triggers"
    # What the administrator has is compared with this after every step.
    kept=$(content_of_pve)
}
content_of_pve() { find /etc/pve -type f -printf '%p %m %u ' -exec sha256sum {} \; | sort; }
pve_is_kept() { diff <(echo "$kept") <(content_of_pve); }

# Of ours and Proxmox's: an upgrade of Debian restarts others.
nothing_was_restarted() { ! grep -E '(^| )(re|try-re|reload-or-re)?(start|stop).*(ontapnvme|pve)' "$units"; }
daemons_were_told() { grep -q pve-api-updates "$triggers" && : >"$triggers"; }

# The one place that apt knows besides Debian, and the key it is checked with.
use_repository() {
    local folder=$1 codename=$2
    cp "$folder/archive-key.asc" "/etc/apt/keyrings/$package.asc"
    printf 'Types: deb\nURIs: file:%s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
        "$folder" "$codename" "/etc/apt/keyrings/$package.asc" >"/etc/apt/sources.list.d/$package.sources"
}
# Of this repository alone: without a network the lists of Debian stay what they are.
update() {
    apt-get -q -o "Dir::Etc::sourcelist=sources.list.d/$package.sources" -o Dir::Etc::sourceparts=- \
        -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update
}

# The plugin under Proxmox's modules, or stand-ins for them, as a daemon loads it.
readonly perl_of_node='
    use PVE::Storage;
    require PVE::Storage::Custom::OntapNvmeTcpPlugin;
    my $class = "PVE::Storage::Custom::OntapNvmeTcpPlugin";
    $class->register();
    PVE::Storage::Plugin->init();
    PVE::Storage::Plugin->lookup("ontapnvme") eq $class or die "it is not registered\n";
    my %section = map { $_ => "x" } qw(aggregate mgmt_ip subsystem username vserver);
    $class->check_config("netapp", \%section, 1, 1) or die "its section is not read\n";
'
shim_loads() { perl -T -we "$perl_of_node"; }
native_works() {
    perl -T -we "$perl_of_node"'
        require PVE::Storage::OntapNvmeTcp::Native;
        eval { PVE::Storage::OntapNvmeTcp::Native->check_settings("netapp", {}) };
        my $error = $@;
        ref($error) && $error->code() eq "invalid-argument" or die "no error of ours: $error\n";
    '
}
# An operation that needs the array names what to install, in the words that a task log shows.
native_is_missing() {
    perl -T -we "$perl_of_node"'
        eval { $class->activate_storage("netapp", { type => "ontapnvme" }, {}) };
        $@ =~ /cannot load the native library: .*install the package pve-storage-ontapnvme/
            or die "it says: $@\n";
    '
}
