#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN is_real_pve load_pve scfg set_config);
use Proxmox;

# The sequences are worth as much as Proxmox.pm is like PVE::Storage. Both are asked for the same
# here, of a plugin that only writes down which hook it was called for, with what, in which context.
plan(skip_all => 'PVE_PERL5LIB does not name the modules of Proxmox VE') if !is_real_pve();

load_pve();
my $scfg = scfg(content => { images => 1, rootdir => 1 });
my $config = { ids => { store => $scfg } };
set_config($config->{ids});
my $pve = Proxmox->new(version => PVE::Storage::APIVER(), storages => { store => $scfg });
{
    no warnings qw(once redefine);
    *PVE::INotify::nodename = sub { return 'here' };
}

my %answers = (
    check_connection => [1],
    alloc_image => ['vm-100-disk-0'],
    clone_image => ['base-100-disk-0/vm-101-disk-0'],
    create_base => ['base-100-disk-0'],
    rename_volume => ['store:vm-101-disk-0'],
    list_images => [[]],
    path => ['/dev/there', 100, 'images'],
    map_volume => ['/dev/there'],
    volume_import => ['store:vm-100-disk-0'],
    volume_qemu_snapshot_method => ['storage'],
);
my @calls;

my sub as_text ($value) {
    return !defined($value) ? 'undef' : ref($value) ? ref($value) : "'$value'";
}

for my $hook (qw(
    check_connection activate_storage list_images alloc_image free_image create_base clone_image
    rename_volume volume_size_info volume_resize volume_has_feature activate_volume
    deactivate_volume map_volume unmap_volume path qemu_blockdev_options volume_snapshot
    volume_snapshot_delete volume_rollback_is_possible volume_snapshot_rollback
    volume_snapshot_needs_fsfreeze
    volume_qemu_snapshot_method volume_export_formats volume_export volume_import_formats
    volume_import
)) {
    no strict 'refs';
    no warnings 'redefine';
    *{ PLUGIN() . "::$hook" } = sub {
        my ($class, @arguments) = @_;

        my $context = wantarray ? 'list' : defined(wantarray) ? 'scalar' : 'void';
        my $lock = $pve->is_locked('store') ? ' under the lock' : '';
        push(@calls, "$hook(" . join(', ', map { as_text($_) } @arguments) . ") in $context$lock");
        return { driver => 'host_device', filename => '/dev/there' }
            if $hook eq 'qemu_blockdev_options';
        my @answer = ($answers{$hook} // [])->@*;
        return wantarray ? @answer : $answer[0];
    };
}

my sub calls_of ($code) {
    @calls = ();
    $code->();
    # Void and scalar are one to a hook, and to a wrapper's caller.
    return [map { s/ in void/ in scalar/r } @calls];
}

my ($disk, $base) = ('store:vm-100-disk-0', 'store:base-100-disk-0');
my $hints = $pve->version() >= 13 ? $pve->start_hints() : undef;
my @functions = (
    [vdisk_alloc => 'store', 100, 'raw', undef, 4096],
    [vdisk_alloc => 'store', 100, 'raw', 'vm-100-cloudinit', 4096],
    [vdisk_free => $disk],
    [vdisk_free => $base],
    [vdisk_create_base => $disk],
    [vdisk_clone => $base, 101],
    [vdisk_clone => $disk, 101, 'snap'],
    [rename_volume => $disk, 101],
    [rename_volume => $disk, undef, 'vm-101-data'],
    [vdisk_list => 'store', 100],
    [vdisk_list => 'store', undef, [$disk]],
    [activate_volumes => [$disk, $base]],
    [activate_volumes => [$disk], undef, $hints],
    [activate_volumes => [$disk], 'snap'],
    [deactivate_volumes => [$disk, $base]],
    [deactivate_volumes => [$disk], 'snap'],
    [map_volume => $disk],
    [map_volume => $disk, 'snap'],
    [unmap_volume => $disk],
    [path => $disk],
    [path => $disk, 'snap'],
    [volume_size_info => $disk, 5],
    [volume_resize => $disk, 8 * 1024 * 1024 + 1, 1],
    [volume_has_feature => 'snapshot', $disk],
    [volume_has_feature => 'copy', $disk, 'snap', 1, { valid_target_formats => ['raw'] }],
    [volume_snapshot => $disk, 'snap'],
    [volume_snapshot_delete => $disk, 'snap', 1],
    [volume_snapshot_delete => $disk, 'snap'],
    [volume_rollback_is_possible => $disk, 'snap', []],
    [volume_rollback_is_possible => $disk, 'snap'],
    [volume_snapshot_rollback => $disk, 'snap'],
    [volume_snapshot_needs_fsfreeze => $disk],
    [volume_export_formats => $disk, undef, undef, 0],
    [volume_import_formats => $disk, 'snap', undef, 1],
    [volume_export => \*STDOUT, $disk, 'raw+size', undef, undef, 0],
    [volume_import => \*STDIN, $disk, 'raw+size', undef, undef, 0, 1],
);
push(@functions,
    [qemu_blockdev_options => $disk, 'pc-i440fx-10.0', {}],
    [volume_qemu_snapshot_method => $disk],
) if $pve->version() >= 12;

for my $context (qw(scalar list)) {
    subtest "what is asked in $context context" => sub {
        for my $function (@functions) {
            my ($name, @arguments) = $function->@*;
            my $real = PVE::Storage->can($name);
            my @run = (
                # The prototypes of some want no list.
                sub { return $real->($config, @arguments) },
                sub { return $pve->$name(@arguments) },
            );
            my ($upstream, $ours) = map {
                my $code = $_;
                calls_of(sub { $context eq 'list' ? my @list = $code->() : scalar($code->()) });
            } @run;
            my $asked = join(', ', map { as_text($_) } @arguments);
            is_deeply($ours, $upstream, "$name($asked)") or diag("upstream: @$upstream");
        }
    };
}

done_testing();
