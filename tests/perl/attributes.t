#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(made answer native_error);
use HookTest qw(PLUGIN scfg dirty is_clean error_of put_file);

put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');
my @volume = ($scfg, $storeid, dirty('base-100-disk-0/vm-101-disk-0'));
my $name = 'base-100-disk-0/vm-101-disk-0';

subtest 'attributes are read' => sub {
    answer(info => { notes => "gr\x{f6}\x{df}e\n\x{20ac}", is_protected => 1 });
    my ($notes, $protected);
    is_deeply(made(sub { $notes = PLUGIN->get_volume_attribute(@volume, dirty('notes')) }),
        [['info', $name]], 'one question');
    is($notes, "gr\x{f6}\x{df}e\n\x{20ac}", 'notes');
    is($protected = PLUGIN->get_volume_attribute(@volume, dirty('protected')), 1, 'protected');
    ok(is_clean([$notes, $protected]), 'clean');
    answer(info => { notes => undef, is_protected => 0 });
    is(PLUGIN->get_volume_attribute(@volume, 'notes'), '', 'none is not the same as unknown');
    is(PLUGIN->get_volume_attribute(@volume, 'protected'), 0, 'not protected');
};

subtest 'an attribute that does not exist here is undef' => sub {
    is_deeply(made(sub {
        is(PLUGIN->get_volume_attribute(@volume, $_), undef, $_)
            for qw(size ctime verification), '';
    }), [], 'without a request');
};

# What the library is asked, all of it under the lock of the storage.
my sub set_by ($code) {
    my $is_locked = 0;
    my @asked;
    for my $call (made($code)->@*) {
        if ($call->[0] =~ /lock/) {
            $is_locked = $call->[0] eq 'lock';
        } else {
            ok($is_locked, "$call->[0]: under the lock");
            push(@asked, $call);
        }
    }
    return \@asked;
}

subtest 'notes are set as they are' => sub {
    my %expected = (
        'plain' => 'plain',
        "two\nlines\twith \x{2028}" => "two\nlines\twith \x{2028}",
        "gr\x{f6}\x{df}e" => "gr\x{f6}\x{df}e",
        # What the command line hands over: bytes.
        "gr\xc3\xb6\xc3\x9fe" => "gr\x{f6}\x{df}e",
        '' => '',
    );
    for my $notes (sort(keys(%expected))) {
        is_deeply(set_by(sub { PLUGIN->update_volume_attribute(@volume, dirty('notes'),
            dirty($notes)) }),
            [['set_notes', $name, $expected{$notes}]], 'as characters');
    }
    is_deeply(set_by(sub { PLUGIN->update_volume_attribute(@volume, 'notes', undef) }),
        [['set_notes', $name, '']], 'undef removes them');
    my $calls = set_by(sub {
        like(error_of(sub { PLUGIN->update_volume_attribute(@volume, 'notes', $_) }),
            qr/'\Q$name\E'.*\[invalid-argument\b/, 'binary')
            for "a\0b", "\e[1m";
    });
    is_deeply($calls, [], 'nothing is asked of the library');
    answer(set_notes => native_error('invalid-argument', "notes of '$name' are too long"));
    is(error_of(sub { PLUGIN->update_volume_attribute(@volume, 'notes', 'x') }),
        "storage 'store': notes of '$name' are too long [invalid-argument]\n", 'a failure');
};

subtest 'protection is set and lifted' => sub {
    is_deeply(set_by(sub { PLUGIN->update_volume_attribute(@volume, dirty('protected'),
        dirty($_->[0])) }),
        [['set_protected', $name, $_->[1]]], 'value ' . ($_->[0] // 'undef'))
        for [1, 1], ['1', 1], [0, 0], ['0', 0], ['', 0], [undef, 0];
    like(error_of(sub { PLUGIN->update_volume_attribute(@volume, 'protected', $_) }),
        qr/'\Q$name\E'.*\[invalid-argument\b/, 'neither 0 nor 1')
        for qw(2 yes -1), "1\n";
};

subtest 'another attribute is refused with those that there are' => sub {
    is_deeply(set_by(sub {
        like(error_of(sub { PLUGIN->update_volume_attribute(@volume, $_, 1) }),
            qr/\Astorage 'store': .*'\Q$name\E'.*'notes' and 'protected'.*\[unsupported\b/, 'told')
            for 'size', "two\nlines", '';
    }), [], 'nothing is asked of the library');
};

subtest 'the identity of the storage' => sub {
    answer(identity => 'cluster/svm/prefix');
    my $identity = PLUGIN->get_identity($scfg, $storeid);
    is($identity, 'cluster/svm/prefix', 'as the library has it');
    ok(is_clean($identity), 'clean');
    answer(identity => native_error('unavailable', 'no answer'));
    is(error_of(sub { PLUGIN->get_identity($scfg, $storeid) }),
        "storage 'store': no answer [unavailable]\n", 'not without the array');
};

done_testing();
