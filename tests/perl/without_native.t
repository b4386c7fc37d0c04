#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN scfg dirty error_of said_by load_pve put_file get_file);

# A node whose package is incomplete: no native module anywhere.
@INC = grep { !ref && !-e "$_/PVE/Storage/OntapNvmeTcp/Native.pm" } @INC;

put_file('storage/store.pw', "secret\n");
load_pve();

my $scfg = dirty(scfg());
my $install = qr/install the package pve-storage-ontapnvme/;
my $advice = qr/\Astorage 'store': [^\n]*$install[^\n]* \[unsupported\]\n\z/;

subtest 'the type is registered, and its sections are kept' => sub {
    is(PVE::Storage::Plugin->lookup('ontapnvme'), PLUGIN, 'registered');
    my %section = map { $_ => 'x' } qw(aggregate mgmt_ip subsystem username vserver);
    ok(PLUGIN->check_config('store', \%section, 1, 1), 'a section is read');
};

subtest 'what needs no array works' => sub {
    ok(PLUGIN->path($scfg, 'vm-100-disk-0', 'store'), 'path');
    ok(PLUGIN->parse_volname('vm-100-disk-0'), 'parse_volname');
    ok(PLUGIN->volume_has_feature($scfg, 'snapshot', 'store', 'vm-100-disk-0'),
        'volume_has_feature');
    is_deeply([PLUGIN->volume_export_formats($scfg, 'store', 'vm-100-disk-0')], ['raw+size'],
        'volume_export_formats');
    is_deeply([PLUGIN->volume_import_formats($scfg, 'store', 'vm-100-disk-0')], ['raw+size'],
        'volume_import_formats');
    ok(PLUGIN->map_volume('store', $scfg, 'vm-100-disk-0', 'snap'), 'map_volume');
    is(PLUGIN->get_volume_attribute($scfg, 'store', 'vm-100-disk-0', 'other'), undef,
        'get_volume_attribute of what is not there');
};

subtest 'every operation says what to install, each time' => sub {
    my %hooks = (
        activate_storage => sub { PLUGIN->activate_storage('store', $scfg) },
        deactivate_storage => sub { PLUGIN->deactivate_storage('store', $scfg) },
        alloc_image => sub { PLUGIN->alloc_image('store', $scfg, 100, 'raw', undef, 4) },
        free_image => sub { PLUGIN->free_image('store', $scfg, 'vm-100-disk-0') },
        list_images => sub { PLUGIN->list_images('store', $scfg) },
        find_free_diskname => sub { PLUGIN->find_free_diskname('store', $scfg, 100) },
        volume_size_info => sub { PLUGIN->volume_size_info($scfg, 'store', 'vm-100-disk-0') },
        activate_volume => sub { PLUGIN->activate_volume('store', $scfg, 'vm-100-disk-0') },
        deactivate_volume => sub { PLUGIN->deactivate_volume('store', $scfg, 'vm-100-disk-0') },
        'activate_volume of a snapshot' => sub { PLUGIN->activate_volume('store', $scfg,
            'vm-100-disk-0', 's') },
        'deactivate_volume of a snapshot' => sub { PLUGIN->deactivate_volume('store', $scfg,
            'vm-100-disk-0', 's') },
        create_base => sub { PLUGIN->create_base('store', $scfg, 'vm-100-disk-0') },
        clone_image => sub { PLUGIN->clone_image($scfg, 'store', 'base-100-disk-0', 101) },
        rename_volume => sub { PLUGIN->rename_volume($scfg, 'store', 'vm-100-disk-0', 101) },
        volume_export => sub { PLUGIN->volume_export($scfg, 'store', \*STDOUT, 'vm-100-disk-0',
            'raw+size') },
        volume_import => sub { PLUGIN->volume_import($scfg, 'store', \*STDIN, 'vm-100-disk-0',
            'raw+size') },
        get_volume_attribute => sub { PLUGIN->get_volume_attribute($scfg, 'store',
            'vm-100-disk-0', 'notes') },
        update_volume_attribute => sub { PLUGIN->update_volume_attribute($scfg, 'store',
            'vm-100-disk-0', 'notes', 'x') },
        get_identity => sub { PLUGIN->get_identity($scfg, 'store') },
        volume_resize => sub { PLUGIN->volume_resize($scfg, 'store', 'vm-100-disk-0', 4096) },
        volume_snapshot => sub { PLUGIN->volume_snapshot($scfg, 'store', 'vm-100-disk-0', 's') },
        volume_snapshot_delete => sub { PLUGIN->volume_snapshot_delete($scfg, 'store',
            'vm-100-disk-0', 's') },
        volume_snapshot_rollback => sub { PLUGIN->volume_snapshot_rollback($scfg, 'store',
            'vm-100-disk-0', 's') },
        volume_rollback_is_possible => sub { PLUGIN->volume_rollback_is_possible($scfg, 'store',
            'vm-100-disk-0', 's') },
        volume_snapshot_info => sub { PLUGIN->volume_snapshot_info($scfg, 'store',
            'vm-100-disk-0') },
        on_add_hook => sub { PLUGIN->on_add_hook('store', $scfg, password => 'x') },
        on_update_hook_full => sub { PLUGIN->on_update_hook_full('store', $scfg,
            { verify_ssl => 0 }, undef, {}) },
    );
    for my $hook (sort(keys(%hooks))) {
        like(error_of($hooks{$hook}, $hook), $advice, "$hook: what to install");
    }
    like(error_of($hooks{activate_storage}), $advice, 'again');
};

subtest 'the polls of a node say inactive' => sub {
    my $said = said_by(sub {
        is(PLUGIN->check_connection('store', $scfg), 0, 'check_connection');
        is_deeply([PLUGIN->status('store', $scfg)], [], 'status');
    });
    is(scalar($said->@*), 1, 'one warning for both');
    like($said->[0], qr/\Astorage 'store': .*install the package/, 'which says why');
};

subtest 'the storage can be removed' => sub {
    my $said = said_by(sub { PLUGIN->on_delete_hook('store', $scfg) });
    like($said->[0], qr/not checked for disks: .*install the package/, 'with a warning');
    is(get_file('storage/store.pw'), undef, 'its password is gone');
};

done_testing();
