# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in for a program of the package on a node without Proxmox VE: reads the storages of this type
# from /etc/pve/storage.cfg and activates one as PVE does. tests/perl/lib has the rest.
package PVE::Storage;

use v5.36;

use PVE::Storage::Plugin;
use PVE::Storage::Custom::OntapNvmeTcpPlugin;

my $plugin = 'PVE::Storage::Custom::OntapNvmeTcpPlugin';

sub APIVER { return 15 }

$plugin->register();
PVE::Storage::Plugin->init();

my sub section ($id, $text) {
    my %settings = $text =~ /^\t(\S+) (.*)$/mg;
    $settings{content} = {map { $_ => 1 } split(/,/, $settings{content} // '')};
    return {$plugin->check_config($id, \%settings, 1, 1)->%*, shared => 1};
}

sub config {
    open(my $file, '<', '/etc/pve/storage.cfg') or die "/etc/pve/storage.cfg: $!\n";
    my $text = join('', readline($file));
    my %ids;
    while ($text =~ /^ontapnvme: (\S+)\n((?:\t.*\n)*)/mg) {
        $ids{$1} = section($1, $2);
    }
    return {ids => \%ids};
}

sub storage_check_enabled { return 1 }

sub activate_storage {
    my ($cfg, $id) = @_;

    my $scfg = $cfg->{ids}{$id};
    $plugin->check_connection($id, $scfg) or die "storage '$id' is not online\n";
    $plugin->activate_storage($id, $scfg, {});
    return;
}

sub deactivate_storage {
    my ($cfg, $id) = @_;

    $plugin->deactivate_storage($id, $cfg->{ids}{$id}, {});
    return;
}

1;
