#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN);

my @locks;
local $HookTest::on_lock = sub ($what, @more) { push(@locks, [@more]) if $what eq 'lock' };

is(scalar(PLUGIN->cluster_lock_storage('store', 1, undef, sub (@got) { "@got" }, 'a', 'b')),
    'a b', 'what runs under the lock gets its arguments, and its result comes back');
PLUGIN->cluster_lock_storage('store', 0, 0, sub { });
PLUGIN->cluster_lock_storage('store', 1, 5, sub { });
is_deeply(\@locks, [['store', 1, 60], ['store', 0, 60], ['store', 1, 5]],
    'a caller that names no time waits for 60 s, here and in the cluster; another as it says');
is(eval { PLUGIN->cluster_lock_storage('store', 1, undef, sub { die "no\n" }); 1 }, undef,
    'what dies under the lock');
is($@, "no\n", 'is told as it is');

done_testing();
