#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# A worker of Proxmox VE's API daemon counts the warnings of all its calls, and each task that it forks
# inherits the count: one outage, polled for a night, would mark everybody's tasks.
use v5.36;

use Test::More;

use FakeNative qw(answer native_error);
use HookTest qw(PLUGIN scfg dirty put_file load_pve said_in_task);

load_pve();
require PVE::RESTEnvironment;
my $environment = eval { PVE::RESTEnvironment->get() } // PVE::RESTEnvironment->init('cli');

put_file('storage/store.pw', "secret\n");
my $scfg = dirty(scfg());
my $storeid = dirty('store');
my $volume = dirty('vm-100-disk-0');

# As if another minute began with each call: what is said once a minute is said.
my $now = 1_700_000_000;
$PVE::Storage::OntapNvmeTcp::Messages::clock = sub { $now += 60 };

my %calls = (
    check_connection => sub { PLUGIN->check_connection($storeid, $scfg) },
    status => sub { PLUGIN->status($storeid, $scfg) },
    activate_storage => sub { PLUGIN->activate_storage($storeid, $scfg) },
    list_images => sub { PLUGIN->list_images($storeid, $scfg) },
    volume_size_info => sub { PLUGIN->volume_size_info($scfg, $storeid, $volume) },
    volume_snapshot_info => sub { PLUGIN->volume_snapshot_info($scfg, $storeid, $volume) },
    on_delete_hook => sub { PLUGIN->on_delete_hook($storeid, $scfg); put_file('storage/store.pw', "s\n") },
);

# The array is away, and each call has something to say besides.
my $outage = sub (@) {
    @PVE::Storage::OntapNvmeTcp::Native::log = ({ level => 'warning', text => 'a path is missing' });
    native_error('unavailable', 'cannot reach the array')->();
};
answer(map { $_ => $outage } qw(
    check_connection capacity activate list info list_snapshots require_empty forget
));

subtest 'calls outside of a task count no warnings, and still warn' => sub {
    for my $name (sort(keys(%calls))) {
        my @said;
        local $SIG{__WARN__} = sub ($text) { push(@said, $text) };
        eval { $calls{$name}->() };
        is($environment->{warning_count}, 0, "$name: nothing is counted");
        is($said[0], "storage 'store': a path is missing\n", "$name: it warns");
    }
};

subtest 'in a task a warning is the task\'s' => sub {
    for my $name (sort(keys(%calls))) {
        my $said = said_in_task(sub { eval { $calls{$name}->() } });
        is($said->[0], "task: storage 'store': a path is missing", $name);
    }
};

done_testing();
