#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(calls_of answer native_error);
use HookTest qw(PLUGIN scfg dirty is_clean error_of put_file);

put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');

my @disks = (
    { volume_name => 'vm-100-disk-0', vmid => 100, size_bytes => 4611686018427387905,
        used_bytes => 4096,
        create_time_s => 1_700_000_000, parent => undef },
    { volume_name => 'base-200-disk-0/vm-100-disk-1', vmid => 100, size_bytes => 8192,
        used_bytes => 0,
        create_time_s => 1_700_000_001, parent => 'base-200-disk-0' },
    { volume_name => 'base-200-disk-0', vmid => 200, size_bytes => 8192, used_bytes => 0,
        create_time_s => 1_700_000_002, parent => undef, notes => 'golden', is_protected => 1 },
);
answer(list => sub ($vmid) { [grep { !defined($vmid) || $_->{vmid} == $vmid } @disks] });

my sub names ($images) {
    return [map { $_->{volid} } $images->@*];
}

subtest 'an image has what Proxmox VE shows of it' => sub {
    my $images = PLUGIN->list_images($storeid, $scfg, undef, undef, {});
    is_deeply($images->[0], {
        volid => 'store:vm-100-disk-0', format => 'raw', vmid => 100, size => 4611686018427387905,
            used => 4096,
        ctime => 1_700_000_000, parent => undef,
    }, 'a disk');
    is($images->[1]{parent}, 'base-200-disk-0', 'a linked clone has its parent');
    is_deeply([$images->[2]->@{qw(notes protected)}], ['golden', 1], 'notes, and that it is protected');
    ok(is_clean($images), 'clean');
    for my $image ($images->@*) {
        ok(eval { PLUGIN->parse_volname($image->{volid} =~ s/\Astore://r) },
            "$image->{volid} can be parsed");
    }
};

subtest 'the list is filtered by volumes, or else by owner' => sub {
    is_deeply(names(PLUGIN->list_images($storeid, $scfg)),
        [map { "store:$_->{volume_name}" } @disks], 'not at all');
    is_deeply(names(PLUGIN->list_images($storeid, $scfg, dirty(200))), ['store:base-200-disk-0'],
        'by owner');
    is_deeply(names(PLUGIN->list_images($storeid, $scfg, 999)), [], 'an owner of nothing');
    is_deeply(names(PLUGIN->list_images($storeid, $scfg, undef,
        dirty(['store:base-200-disk-0', 'store:vm-1-x']))),
        ['store:base-200-disk-0'], 'by volumes');
    is_deeply(names(PLUGIN->list_images($storeid, $scfg, 100,
        ['store:base-200-disk-0', 'other:vm-100-disk-0'])),
        ['store:base-200-disk-0'], 'by volumes, of any owner');
    is_deeply(names(PLUGIN->list_images($storeid, $scfg, 100, [])), [], 'by an empty list: none');
    is_deeply(names(PLUGIN->list_images($storeid, $scfg, undef,
        ['store:base-200-disk-0/vm-100-disk-1'])),
        ['store:base-200-disk-0/vm-100-disk-1'], 'a linked clone by the name it was given');
};

subtest 'one question, asked of one VM where that is enough' => sub {
    my sub asked (@arguments) {
        return [grep { $_->[0] eq 'list' } calls_of(sub { PLUGIN->list_images($storeid, $scfg,
            @arguments) })->@*];
    }
    is_deeply(asked(), [['list', undef]], 'all');
    is_deeply(asked(dirty('100')), [['list', 100]], 'of one VM');
    is_deeply(asked(100, ['store:x']), [['list', undef]], 'a list of volumes');
};

subtest 'size information, in scalar and in list context' => sub {
    answer(info => $disks[1]);
    my $size = PLUGIN->volume_size_info($scfg, $storeid, dirty('base-200-disk-0/vm-100-disk-1'),
        dirty(5));
    is($size, 8192, 'scalar');
    ok(is_clean($size), 'clean');
    my @info = PLUGIN->volume_size_info($scfg, $storeid, dirty('base-200-disk-0/vm-100-disk-1'),
        undef);
    is_deeply(\@info, [8192, 'raw', 0, 'base-200-disk-0', 1_700_000_001], 'list');
    ok(is_clean(\@info), 'clean');
    is_deeply(calls_of(sub { PLUGIN->volume_size_info($scfg, $storeid, 'vm-100-disk-0') })->[-1],
        ['info', 'vm-100-disk-0'], 'asked of the array');
    answer(info => native_error('not-found', "no volume 'vm-100-disk-9'"));
    is(error_of(sub { PLUGIN->volume_size_info($scfg, $storeid, 'vm-100-disk-9') }),
        "storage 'store': no volume 'vm-100-disk-9' [not-found]\n", 'a missing one');
};

done_testing();
