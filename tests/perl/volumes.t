#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(calls_of answer native_error made);
use HookTest qw(PLUGIN scfg dirty error_of put_file get_file);

put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');
my $links = $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory;

subtest 'free_image has no work left for later' => sub {
    my $result = 'unset';
    my $calls = calls_of(sub { $result = PLUGIN->free_image($storeid, $scfg, dirty('vm-100-disk-0'),
        0, 'raw') });
    is_deeply($calls->[-1], ['free', 'vm-100-disk-0'], 'freed');
    is($result, undef, 'anything else would be run as a task');
    my @list = PLUGIN->free_image($storeid, $scfg, 'base-100-disk-0/vm-101-disk-0', 1);
    is_deeply(\@list, [undef], 'older callers pass no format');
    answer(free => native_error('busy', "cannot delete 'vm-100-disk-0'"));
    is(error_of(sub { PLUGIN->free_image($storeid, $scfg, 'vm-100-disk-0', 0, undef) }),
        "storage 'store': cannot delete 'vm-100-disk-0' [busy]\n", 'a disk in use');
};

subtest 'activate_volume asks for the device and expects it where path says' => sub {
    answer(activate_volume => sub ($name) { "$links/store/" . ($name =~ s{.*/}{}r) });
    for my $name (qw(vm-100-disk-0 base-100-disk-0/vm-101-disk-0 vm-100-state-snap)) {
        my $calls = calls_of(sub { PLUGIN->activate_volume($storeid, $scfg, dirty($name), undef, {},
            { 'guest-is-windows' => 1 }) });
        is_deeply($calls->[-1], ['activate_volume', $name], $name);
    }
    ok(PLUGIN->activate_volume($storeid, $scfg, 'vm-100-disk-0'), 'older callers pass less');
    answer(activate_volume => '/dev/nvme0n1');
    like(error_of(sub { PLUGIN->activate_volume($storeid, $scfg, 'vm-100-disk-0') }),
        qr/'vm-100-disk-0'.*\[internal\b/,
        'another path is an error');
    answer(activate_volume => native_error('device-missing',
        "no block device for 'vm-100-disk-0'"));
    is(error_of(sub { PLUGIN->activate_volume($storeid, $scfg, 'vm-100-disk-0') }),
        "storage 'store': no block device for 'vm-100-disk-0' [device-missing]\n", 'no device');
};

subtest 'a snapshot has a device of its own, never the live disk' => sub {
    unlink(HookTest::priv_dir() . '/ontapnvme-cluster-id');
    answer(activate_snapshot => sub ($name, $snap) { "$links/store/" . ($name =~ s{.*/}{}r)
        . "\@$snap" });
    for my $name (qw(vm-100-disk-0 base-100-disk-0 base-100-disk-0/vm-101-disk-0)) {
        my $calls = made(sub { PLUGIN->activate_volume($storeid, $scfg, dirty($name),
            dirty('snap'), {}, {}) });
        is_deeply($calls, [['activate_snapshot', $name, 'snap']], "$name: activated");
        $calls = made(sub { PLUGIN->deactivate_volume($storeid, $scfg, dirty($name),
            dirty('snap'), {}) });
        is_deeply($calls, [['deactivate_snapshot', $name, 'snap']], "$name: deactivated");
    }
    like(get_file('ontapnvme-cluster-id') // '', qr/\A[0-9a-f-]{36}\n\z/,
        'what is made for it is marked');
    answer(activate_snapshot => "$links/store/vm-100-disk-0");
    like(error_of(sub { PLUGIN->activate_volume($storeid, $scfg, 'vm-100-disk-0', 'snap') }),
        qr/'vm-100-disk-0'.*\[internal\b/, 'the path of the live disk is an error');
    for my $snap ('', 'a/b', "a\n", '..') {
        my $calls = made(sub {
            error_of(sub { PLUGIN->activate_volume($storeid, $scfg, 'vm-100-disk-0', $snap) });
            error_of(sub { PLUGIN->deactivate_volume($storeid, $scfg, 'vm-100-disk-0', $snap) });
        });
        is_deeply($calls, [], 'a name that is none gets nowhere');
    }
    answer(activate_snapshot => native_error('not-found', "'vm-100-disk-0' has no 'snap'"));
    is(error_of(sub { PLUGIN->activate_volume($storeid, $scfg, 'vm-100-disk-0', 'snap') }),
        "storage 'store': 'vm-100-disk-0' has no 'snap' [not-found]\n", 'no such snapshot');
};

subtest 'volume_resize takes bytes, all 64 bits of them' => sub {
    for my $bytes (4096, 4611686018427387905) {
        my $calls = calls_of(sub { PLUGIN->volume_resize($scfg, $storeid, dirty('vm-100-disk-0'),
            dirty($bytes), 1) });
        is_deeply($calls->[-1], ['resize', 'vm-100-disk-0', $bytes], "$bytes bytes");
    }
    error_of(sub { PLUGIN->volume_resize($scfg, $storeid, 'vm-100-disk-0', $_, 1) },
        'no size: ' . ($_ // 'undef'))
        for undef, '', 'x', -1, 1.5, '4k';
    like(error_of(sub { PLUGIN->volume_resize($scfg, $storeid, 'vm-100-disk-0', 4096, 0, 'snap') }),
        qr/'snap'.*'vm-100-disk-0'.*\[unsupported\b/, 'a snapshot is not resized');
};

subtest 'names that are none get nowhere' => sub {
    for my $name ('../x', 'vm-1-disk-0', '', undef, 'vm-100-disk-0.raw', "vm-100-disk-0\n") {
        my $calls = calls_of(sub {
            error_of(sub { PLUGIN->free_image($storeid, $scfg, $name) });
            error_of(sub { PLUGIN->activate_volume($storeid, $scfg, $name) });
            error_of(sub { PLUGIN->deactivate_volume($storeid, $scfg, $name) });
            error_of(sub { PLUGIN->volume_resize($scfg, $storeid, $name, 4096) });
        });
        is_deeply([grep { $_->[0] ne 'new' } $calls->@*], [], 'nothing is asked of the library');
    }
};

done_testing();
