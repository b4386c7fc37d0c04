#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN scfg dirty load_pve);

load_pve();

my $scfg = dirty(scfg());

my sub has ($feature, $name, $snap = undef, $opts = undef) {
    return PLUGIN->volume_has_feature($scfg, $feature, 'store', dirty($name), $snap, 0,
        $opts) ? 1 : 0;
}

subtest 'what a volume can do' => sub {
    is(has('snapshot', 'vm-100-disk-0'), 1, 'a snapshot of a disk');
    is(has('snapshot', 'base-100-disk-0'), 0, 'not of a base image');
    is(has('copy', 'vm-100-disk-0'), 1, 'a full copy of a disk');
    is(has('copy', 'base-100-disk-0'), 1, 'of a base image');
    is(has('copy', 'vm-100-disk-0', 'snap'), 0,
        'not of a snapshot: it would be a copy of the live disk');
    is(has('sparseinit', 'vm-100-disk-0'), 1, 'zeros need not be written');
    is(has($_, 'vm-100-disk-0'), 0, "$_ is not there yet") for qw(clone template rename);
    is(has('clone', 'base-100-disk-0'), 0, 'a linked clone is not there yet');
    is(has('replicate', 'vm-100-disk-0'), 0, 'no replication of a shared storage');
    is(has('unheard-of', 'vm-100-disk-0'), 0, 'no feature that a later release adds');
    is(has('snapshot', 'base-100-disk-0/vm-101-disk-0'), 1, 'a linked clone is a disk');
};

subtest 'a copy into a format that is not raw is none' => sub {
    is(has('copy', 'vm-100-disk-0', undef, { valid_target_formats => ['qcow2'] }), 0, 'qcow2');
    is(has('copy', 'vm-100-disk-0', undef, { valid_target_formats => ['qcow2', 'raw'] }), 1,
        'raw among others');
};

subtest 'what holds for all volumes' => sub {
    is_deeply(PLUGIN->get_formats($scfg, 'store'), { default => 'raw', valid => { raw => 1 } },
        'formats');
    is(PLUGIN->volume_qemu_snapshot_method('store', $scfg, 'vm-100-disk-0'), 'storage',
        'who makes snapshots');
    is(PLUGIN->storage_can_replicate($scfg, 'store', 'raw'), 0, 'replication');
    is(PLUGIN->volume_snapshot_needs_fsfreeze(), 1, 'containers are frozen first');
};

subtest 'what is left for a later version says so' => sub {
    my %later = (
        create_base => sub { PLUGIN->create_base('store', $scfg, 'vm-100-disk-0') },
        clone_image => sub { PLUGIN->clone_image($scfg, 'store', 'base-100-disk-0', 101) },
        rename_volume => sub { PLUGIN->rename_volume($scfg, 'store', 'vm-100-disk-0', 101) },
        rename_snapshot => sub { PLUGIN->rename_snapshot($scfg, 'store', 'vm-100-disk-0', 'a',
            'b') },
        volume_export => sub { PLUGIN->volume_export($scfg, 'store', \*STDOUT, 'vm-100-disk-0',
            'raw+size') },
        volume_import => sub { PLUGIN->volume_import($scfg, 'store', \*STDIN, 'vm-100-disk-0',
            'raw+size') },
        update_volume_attribute =>
            sub { PLUGIN->update_volume_attribute($scfg, 'store', 'vm-100-disk-0', 'notes', 'x') },
        get_identity => sub { PLUGIN->get_identity($scfg, 'store') },
    );
    for my $hook (sort(keys(%later))) {
        ok(!eval { $later{$hook}->(); 1 }, "$hook dies");
        like($@, qr/\Astorage 'store': \[unsupported\] [^\n]+\n\z/, "$hook: why");
    }
    is_deeply([PLUGIN->volume_export_formats($scfg, 'store', 'vm-100-disk-0')], [],
        'nothing to export as');
    is_deeply([PLUGIN->volume_import_formats($scfg, 'store', 'vm-100-disk-0')], [],
        'nothing to import from');
    is(PLUGIN->get_volume_attribute($scfg, 'store', 'vm-100-disk-0', 'notes'), undef,
        'no attributes');
};

done_testing();
