# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Config;
use Test::More;

use HookTest qw(PLUGIN get_file dirty);
use SimTest qw(start_array added_storage);

# A test that is left out shows nothing.
length($ENV{ONTAP_SIM} // '') or die "ONTAP_SIM does not name the simulator\n";
my $sim = start_array();
my $scfg = added_storage($sim, 'store');
my $storeid = dirty('store');

for my $module (sort(grep { m{^PVE/Storage/(?:OntapNvmeTcp|Custom/Ontap)} } keys(%INC))) {
    like($INC{$module}, qr{^(?:/usr/share/perl5|\Q$Config{vendorarch}\E)/}, "$module is the installed one");
}
ok($INC{'PVE/Storage/OntapNvmeTcp/Native.pm'}, 'the native one among them');

is(get_file('storage/store.pw'), SimTest::PASSWORD . "\n", 'the storage is added, its password kept');
is(PLUGIN->check_connection($storeid, $scfg), 1, 'it is connected');
my ($total, $available, $used, $active) = PLUGIN->status($storeid, $scfg);
is($active, 1, 'and active');
cmp_ok($total, '>', 0, 'with a capacity');

my $name = PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', undef, 1024 * 1024);
is($name, 'vm-100-disk-0', 'a disk is made');
my $on_array = $sim->admin('GET', '/api/storage/namespaces?fields=name,space.size');
is_deeply([map { [$_->{name}, $_->{space}{size}] } $on_array->{body}{records}->@*],
    [['/vol/vm_100_disk_0/vm_100_disk_0', 1024 ** 3]], 'with its name and size on the array');
is_deeply([map { $_->{volid} } PLUGIN->list_images($storeid, $scfg)->@*], ['store:vm-100-disk-0'],
    'it is listed');
PLUGIN->volume_snapshot($scfg, $storeid, $name, 'before');
is_deeply([keys(PLUGIN->volume_snapshot_info($scfg, $storeid, $name)->%*)], ['before'], 'a snapshot is made');
PLUGIN->volume_snapshot_delete($scfg, $storeid, $name, 'before');
PLUGIN->free_image($storeid, $scfg, $name, 0, 'raw');
is_deeply(PLUGIN->list_images($storeid, $scfg), [], 'the disk is deleted');
is_deeply([$sim->orphans()], [], 'nothing half-made is on the array');
PLUGIN->on_delete_hook($storeid, $scfg);
is(get_file('storage/store.pw'), undef, 'the storage is removed, with its password');

done_testing();
