#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;
use utf8;

use Scalar::Util qw(tainted);
use Test::More;

use XsTest qw(NATIVE client error_of);

# Text of this file is characters; pipes carry bytes.
my sub piped {
    pipe(my $reader, my $writer) or die "pipe: $!\n";
    return ($reader, $writer);
}

my $beyond_53_bits = 4611686018427387905; # 2^62 + 1

subtest 'sizes keep all 64 bits, both ways' => sub {
    my $client = client();
    is($client->info('x')->{size_bytes}, $beyond_53_bits, 'out');
    is($client->capacity()->{total_bytes}, '18446744073709551615', 'the largest out');
    $client->resize('x', $beyond_53_bits);
    $client->resize('x', '18446744073709551615');
    $client->resize('x', 0);
    $client->resize('x', 1e15);
    is_deeply(
        [map { $_->{text} } $client->take_log()->@*],
        [$beyond_53_bits, '18446744073709551615', '0', '1000000000000000'],
        'in: numbers, text, and floating point that is whole',
    );
};

subtest 'what is no whole number is refused' => sub {
    my $client = client();
    for my $value (-1, '-1', 1.5, '1.5', '', 'x', '1x', ' ', undef, [], 1e30,
        '18446744073709551616', 'nan', 9**9**9) {
        my $error = error_of(sub { $client->resize('x', $value) });
        is($error->code, 'invalid-argument', 'the code for ' . ($value // 'undef'));
        like("$error", qr/'size_bytes'/, 'names the argument');
    }
};

subtest 'text is UTF-8 inside and characters outside' => sub {
    my $client = client();
    for my $name ('größe', "größe-€", "\x{1F4BE}", "latin-\xe9", "with\0nul") {
        my $before = $name;
        is($client->info($name)->{volume_name}, $name, 'comes back');
        is($name, $before, 'is not changed');
        ok(utf8::is_utf8($name) == utf8::is_utf8($before), 'keeps its form');
    }
    is($client->list(undef)->[1]{volume_name}, 'vm-200-größe-€', 'out of the library');
    my $bytes = $client->info('tell:bytes')->{parent};
    is(length($bytes), 2, 'bytes that are no UTF-8 stay bytes');
};

subtest 'absent is undef' => sub {
    my $client = client();
    is($client->info('x')->{parent}, undef, 'out');
    is($client->list(undef)->[0]{vmid}, 100, 'no VM id in');
    is($client->list(7)->[0]{vmid}, 7, 'a VM id in');
    is($client->info('x')->{notes}, undef, 'no notes out');
    $client->set_notes('x', "größe\nand more");
    is($client->info('x')->{notes}, "größe\nand more", 'notes, in and out');
    $client->set_notes('x', '');
    is($client->info('x')->{notes}, undef, 'none again');
    is($client->clone('x', undef, 101), 'x,,101', 'no snapshot in');
    is($client->clone('x', 'größe', 101), 'x,größe,101', 'a snapshot in');
    is_deeply($client->clone_vm(['x', 'größe'], undef, 101), ['x,,101', 'größe,,101'],
        'a list in and out');
    is_deeply($client->clone_vm([], 's', 101), [], 'an empty one');
    is($client->hand_over('x', 'größe', 'i', 'y'), 'größe,i,y', 'what a disk is called elsewhere');
    is_deeply($client->moved_volumes(101, 'a:x'), ['a:x,101'], 'volumes that came');
    is($client->rename('x', 101, undef), 'x,101,', 'no new name in');
    is($client->rename('x', 101, 'y'), 'x,101,y', 'a new name in');
    is($client->allocate(100, undef, 4), '100,,4', 'no name in');
    is($client->allocate(100, 'name', 4), '100,name,4', 'a name in');
};

subtest 'true and false' => sub {
    my $client = client();
    is($client->info('x')->{is_protected}, 0, 'before');
    for my $value (1, 0, 'yes', '', 1, undef, '1', '0') {
        $client->set_protected('x', $value);
        is($client->info('x')->{is_protected}, $value ? 1 : 0,
            'after ' . ($value // 'undef'));
    }
};

subtest 'a stream goes through the descriptor that is given, which stays open' => sub {
    my $client = client();
    my ($reader, $writer) = piped();
    $client->export('vm', 'snap', fileno($writer));
    $client->export('vm', undef, '' . fileno($writer));
    print {$writer} ';';
    close($writer);
    is(do { local $/; readline($reader) }, 'vm@snapvm@;', 'out, of a snapshot and of a volume');

    ($reader, $writer) = piped();
    syswrite($writer, pack('Q<', $beyond_53_bits) . 'bytes');
    is($client->read_import_size(fileno($reader)), $beyond_53_bits, 'its size');
    $client->import_volume('vm', 5, fileno($reader));
    is($client->take_log()->[0]{text}, 'bytes', 'in');
    ok(defined(fileno($reader)) && close($reader), 'the descriptor is still there');
};

subtest 'what is no descriptor is refused before anything is done' => sub {
    my $client = client();
    for my $value (-1, '-1', 1.5, '', 'x', '0x1', undef, \*STDIN, *STDIN, [], 2**31, '2147483648',
        18446744073709551615) {
        my %calls = (
            export => sub { $client->export('throw:other', undef, $value) },
            read_import_size => sub { client(script => 'throw:other')->read_import_size($value) },
            import_volume => sub { $client->import_volume('throw:other', 1, $value) },
        );
        for my $call (sort(keys(%calls))) {
            my $error = error_of($calls{$call}, $call . ' of ' . ($value // 'undef'));
            is($error->code, 'invalid-argument', 'its code');
            like("$error", qr/'fd'/, 'names the argument');
        }
    }
};

subtest 'what is no text is refused' => sub {
    my $client = client();
    for my $value (undef, [], {}, sub { }, $client) {
        is(error_of(sub { $client->info($value) })->code, 'invalid-argument', 'as volume name');
    }
    for my $value (undef, [], 'text', 7) {
        is(error_of(sub { NATIVE->new('store', $value, {}, {}) })->code, 'invalid-argument',
            'as settings');
        is(error_of(sub { NATIVE->new('store', {}, $value, {}) })->code, 'invalid-argument',
            'as secrets');
    }
    is(error_of(sub { NATIVE->new('store', { key => [] }, {}, {}) })->code, 'invalid-argument',
        'as value');
    for my $value (undef, [], 'text') {
        is(error_of(sub { $client->apply_changes($value) })->code, 'invalid-argument',
            'as settings before a change');
    }
    for my $value ([], {}, $client) {
        is(error_of(sub { $client->clone('x', $value, 1) })->code, 'invalid-argument',
            'as snapshot');
    }
    for my $value (undef, {}, 'x', [undef], [[]], $client) {
        is(error_of(sub { $client->clone_vm($value, undef, 1) })->code, 'invalid-argument',
            'as list of volumes');
    }
    is(error_of(sub { $client->set_notes('x', undef) })->code, 'invalid-argument', 'as notes');
    ok(!eval { $client->info(); 1 }, 'too few arguments');
};

subtest 'settings, secrets and surroundings arrive' => sub {
    my $client = NATIVE->new(
        'store',
        { one => 'größe', two => 2, gone => undef },
        { password => 'geheim-ß', nvme_dhchap_secret => 'a', nvme_dhchap_ctrl_secret => 'b',
            nvme_tls_psk => 'c' },
        { cluster_id => 'id', ca_file => undef, link_directory => '/links' },
    );
    is($client->info('tell:settings')->{parent}, 'one=größe;two=2;', 'settings');
    is($client->info('tell:secrets')->{parent}, 'geheim-ß;a;b;c;', 'secrets');
    is($client->info('tell:surroundings')->{parent}, 'id;;/run/ontapnvme;/links',
        'surroundings and their defaults');
};

subtest 'settings before a change arrive' => sub {
    my $client = client();
    $client->apply_changes({ qos_policy => 'größe', snapshot_policy => undef });
    is_deeply([map { $_->{text} } $client->take_log()->@*], ['qos_policy=größe'],
        'those that were there');
};

subtest 'wrong settings are told by either way' => sub {
    is(error_of(sub { NATIVE->check_settings('store', { key => 'wrong' }) })->msg,
        q{'key' of 'store' is wrong [invalid-argument]}, 'by the check');
    is(error_of(sub { client(key => 'wrong') })->code, 'invalid-argument', 'by the constructor');
    ok(eval { NATIVE->check_settings('store', { key => 'right' }); 1 }, 'right ones pass');
};

subtest 'lists and hashes have what their description says' => sub {
    my $client = client();
    is_deeply($client->where_is('x'),
        { place => 'größe', destination => undef, percent => 100, state => 'success' }, 'a place');
    is_deeply($client->probes(), [
        { probe => "gr\x{f6}\x{df}e", question => 'which', steps => 'reads', positions => ['a', 'b'] },
    ], 'probes');
    is_deeply($client->run_probe('x'), {
        probe => 'x', question => 'which', position => 'a', detail => undef, svm_uuid => 'u', release => undef,
    }, 'what a probe has found out');
    is_deeply($client->list_deleted(), [
        {
            volume_name => 'vm-100-disk-0', vmid => 100, queued_as => 'vm_100_disk_0_1001',
            deleted_at_s => 1_700_000_000, kept_until_s => undef,
        },
    ], 'deleted volumes');
    is_deeply($client->remove_abandoned(['größe', 'b']), ['größe', 'b'], 'names and lines');
    is($client->undelete('größe', 'x'), 'größe', 'a name');
    is_deeply($client->examine_for_adoption('größe', 1, 101),
        { volume_name => undef, size_bytes => 4096, remarks => ['größe', 'lun'] }, 'what adopting would do');
    is($client->adopt('größe', 0, 101), 'vm-101-disk-0', 'the name of what was adopted');
    is_deeply($client->copy_progress(101),
        [{ volume_name => 'vm-101-disk-0', has_begun => 1, percent => 40 }], 'full clones');
    is_deeply($client->list_snapshots('x'), [
        { name => 'one', id => 'id-1', create_time_s => 1_700_000_000 },
        { name => 'two', id => 'id-2', create_time_s => -1 },
    ], 'snapshots');
    my %own = (
        vmid => 100, array_name => 'pve_snap_s1', name => 's1', shown_as => 's1', kind => 'proxmox',
        create_time_s => 1_700_000_000, locked_until_s => undef, is_on_all_disks => 1, disks => [{
            volume_name => 'vm-100-disk-0', id => 'id-1', create_time_s => 1_700_000_001,
            size_bytes => 4096, disk_size_bytes => 2**30,
        }],
    );
    is_deeply($client->list_vm_snapshots(100), [\%own, {
        %own, name => undef, shown_as => undef, locked_until_s => 1_700_000_002, is_on_all_disks => 0,
    }], 'snapshots of a VM');
    is_deeply($client->adopt_snapshot(['x', 'y'], 'größe', 'größe'),
        { create_time_s => 1_700_000_000, is_of_one_moment => 1, locked_until_s => 1_700_000_002 },
        'an adopted snapshot');
    is($client->adopt_snapshot(['x'], 'a', 'b')->{locked_until_s}, undef, 'one that is not locked');
    is_deeply($client->rollback_blockers('x', 's'), ['s-1', 's-2'], 'blockers');
    is_deeply([sort(keys($client->info('x')->%*))],
        [qw(create_time_s is_protected notes parent size_bytes used_bytes vmid volume_name)], 'a disk');
    is_deeply([sort(keys($client->capacity()->%*))], [qw(available_bytes total_bytes used_bytes)],
        'capacity');
    is($client->activate_volume('vm'), '/dev/ontapnvme/store/vm', 'a path');
    is($client->activate_snapshot('vm', 's'), '/dev/ontapnvme/store/vm@s', 'that of a snapshot');
    is($client->create_base('vm'), 'base of vm', 'a name');
    is_deeply($client->pending(), ['one', 'two'], 'lines');
    is_deeply($client->examine(), [
        { check => 'array', outcome => 'ok', text => "gr\x{f6}\x{df}e answers", remedy => undef },
        { check => 'lifs', outcome => 'warn', text => 'one is down', remedy => 'network interface show' },
        { check => 'svm', outcome => 'fail', text => 'it is gone', remedy => 'vserver show' },
        { check => 'svm-state', outcome => 'skipped', text => "not looked at: 'svm' comes first",
            remedy => undef },
    ], 'results of checks');
    is_deeply($client->explain('x'), [
        { part => 'container', name => 'name', value => 'x', is_odd => 0 },
        { part => 'map', name => 'none', value => "gr\x{f6}\x{df}e", is_odd => 1 },
    ], 'facts');
    is($client->identity(), 'größe@store', 'a text');
    is_deeply([$client->free('x')], [], 'nothing');
    is_deeply([$client->set_notes('x', '')], [], 'nothing');
    is_deeply([$client->deactivate_snapshot('x', 's')], [], 'nothing');
    ok($client->check_connection(), 'true');
    ok(!client(script => 'error:busy')->check_connection(), 'false instead of an error');
    ok(!client(script => 'throw:standard')->check_connection(), 'false instead of an exception');
};

subtest 'what the library has to say is taken once' => sub {
    my $client = client();
    $client->deactivate_snapshot('x', 't');
    $client->create_snapshot('x', 'd');
    $client->resize('x', 1);
    eval { $client->rollback('error:busy', 'w') };
    is_deeply($client->take_log(), [
        { level => 'trace', text => 't' },
        { level => 'debug', text => 'd' },
        { level => 'info', text => '1' },
        { level => 'warning', text => 'w' },
    ], 'in order, after a failure as well');
    is_deeply($client->take_log(), [], 'then there is nothing');
    is_deeply(client(script => 'throw:log')->take_log(), [], 'nothing when it cannot be told');
};

subtest 'clean arguments give clean results' => sub {
    my $client = client();
    my $disk = $client->info('vm-100-disk-0');
    ok(!tainted($_), 'clean') for grep { defined } values($disk->%*);
    my $taint = substr($ENV{PATH}, 0, 0);
    my $name = "vm-100-disk-0$taint";
    ok(tainted($name), 'the test has a tainted name');
    $disk = $client->info($name);
    ok(tainted($disk->{volume_name}),
        'a tainted one gives tainted ones: nothing is laundered here');
};

done_testing();
