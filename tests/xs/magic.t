#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use POSIX ();
use Scalar::Util qw(refaddr);
use Storable qw(dclone);
use Test::More;

use XsTest qw(NATIVE client error_of in_child);

# Descriptors of /dev/null that this process has beyond its first three: the fake holds one per
# object.
my sub open_objects {
    opendir(my $dir, '/proc/self/fd') or die "fd: $!\n";
    my @numbers = grep { /\A[0-9]+\z/ && $_ > 2 } readdir($dir);
    return scalar(grep { (readlink("/proc/self/fd/$_") // '') eq '/dev/null' } @numbers);
}

subtest 'only an object that the constructor made is taken for one' => sub {
    my $client = client();
    my $address = refaddr($client);
    my @forged = (
        [bless(\(my $empty = undef), NATIVE), 'a blessed scalar'],
        [bless(\(my $number = $address), NATIVE), 'the address of a real one'],
        [bless({}, NATIVE), 'a blessed hash'],
        [NATIVE, 'the class'],
        [undef, 'nothing'],
        [42, 'a number'],
        [[], 'a list'],
    );
    for my $case (@forged) {
        my ($value, $name) = $case->@*;
        is(error_of(sub { PVE::Storage::OntapNvmeTcp::Native::info($value, 'x') })->code,
            'invalid-argument', $name);
    }
    ok($client->info('x'), 'the real one works on');
};

subtest 'a copy by dclone is no object, and its end is not the end of the original' => sub {
    my $client = client();
    my $copy = eval { dclone($client) };
    error_of(sub { $copy->info('x') }) if $copy;
    undef($copy);
    ok($client->info('x'), 'the original works on');
};

subtest 'an object lives as long as its last reference' => sub {
    my $before = open_objects();
    my $client = client();
    is(open_objects(), $before + 1, 'it is there');
    my $other = $client;
    undef($client);
    ok($other->info('x'), 'a second reference keeps it');
    undef($other);
    is(open_objects(), $before, 'it is gone');
};

subtest 'a scalar that is overwritten does not free it twice' => sub {
    my $before = open_objects();
    my $client = client();
    $$client = 'something else';
    ok($client->info('x'), 'it works on');
    undef($$client);
    ok($client->info('x'), 'still');
    undef($client);
    is(open_objects(), $before, 'it is gone');
};

subtest 'a forked child may use it, and its end leaves the parent alone' => sub {
    my $client = client();
    my $before = open_objects();
    my $answer = in_child(sub {
        my $name = $client->info('from the child')->{volume_name};
        undef($client);
        # Forgotten, not destroyed: what it holds is still open here.
        return "$name, " . (open_objects() - $before) . ' closed';
    });
    is($answer, 'from the child, 0 closed', 'the child used and forgot it');
    ok($client->info('x'), 'the parent works on');
    is(in_child(sub { NATIVE->new('store', {}, {}, {})->info('own')->{volume_name} }), 'own',
        'a child has objects of its own');
};

subtest 'a child that leaves by _exit leaves the parent alone' => sub {
    my $client = client();
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        $client->info('x');
        POSIX::_exit(0);
    }
    waitpid($pid, 0);
    is($?, 0, 'it left well');
    ok($client->info('x'), 'the parent works on');
};

subtest 'no other thread gets it' => sub {
    ok(NATIVE->CLONE_SKIP(), 'the class says so');
};

done_testing();
