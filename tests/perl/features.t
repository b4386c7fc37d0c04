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

# What holds for a base image, a disk, and a snapshot of a disk.
my %expected = (
    snapshot => [0, 1, 0],
    copy => [1, 1, 1],
    clone => [1, 0, 1],
    template => [0, 1, 0],
    rename => [0, 1, 0],
    sparseinit => [1, 1, 0],
    replicate => [0, 0, 0],
    'unheard-of' => [0, 0, 0],
);

subtest 'what a volume can do' => sub {
    for my $feature (sort(keys(%expected))) {
        my ($base, $disk, $snap) = $expected{$feature}->@*;
        is(has($feature, 'base-100-disk-0'), $base, "$feature of a base image");
        for my $name (qw(vm-100-disk-0 base-100-disk-0/vm-101-disk-0 vm-100-cloudinit)) {
            is(has($feature, $name), $disk, "$feature of $name");
            is(has($feature, $name, 'snap'), $snap, "$feature of a snapshot of $name");
        }
    }
    is(has('template', 'base-100-disk-0/base-101-disk-0'), 0, 'a linked clone that is a template is one already');
    is(has('clone', 'base-100-disk-0/base-101-disk-0'), 1, 'and can be cloned in turn');
    is(PLUGIN->volume_has_feature($scfg, 'rename', 'store', 'base-100-disk-0'), undef,
        'no is undef');
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

done_testing();
