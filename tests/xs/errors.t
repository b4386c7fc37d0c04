#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;
use utf8;

use Data::Dumper;
use Scalar::Util qw(blessed);
use Test::More;

use XsTest qw(NATIVE client error_of);

my @codes = qw(
    invalid-argument unsupported unauthenticated permission-denied not-found already-exists busy
    conflict no-space unavailable timed-out device-missing interrupted internal
);

my %calls = (
    verify => sub ($client, $script) { $client->verify() },
    activate => sub ($client, $script) { $client->activate() },
    capacity => sub ($client, $script) { $client->capacity() },
    require_empty => sub ($client, $script) { $client->require_empty() },
    explain => sub ($client, $script) { $client->explain($script) },
    examine => sub ($client, $script) { $client->examine() },
    remove_abandoned => sub ($client, $script) { $client->remove_abandoned([]) },
    pending => sub ($client, $script) { $client->pending() },
    identity => sub ($client, $script) { $client->identity() },
    require_same_disks => sub ($client, $script) { $client->require_same_disks() },
    apply_changes => sub ($client, $script) { $client->apply_changes({}) },
    forget => sub ($client, $script) { $client->forget() },
    list => sub ($client, $script) { $client->list(undef) },
    info => sub ($client, $script) { $client->info($script) },
    allocate => sub ($client, $script) { $client->allocate(100, $script, 4) },
    free => sub ($client, $script) { $client->free($script) },
    activate_volume => sub ($client, $script) { $client->activate_volume($script) },
    deactivate_volume => sub ($client, $script) { $client->deactivate_volume($script) },
    resize => sub ($client, $script) { $client->resize($script, 4096) },
    create_base => sub ($client, $script) { $client->create_base($script) },
    clone => sub ($client, $script) { $client->clone($script, undef, 101) },
    clone_vm => sub ($client, $script) { $client->clone_vm([$script], undef, 101) },
    probes => sub ($client, $script) { $client->probes() },
    run_probe => sub ($client, $script) { $client->run_probe($script) },
    list_deleted => sub ($client, $script) { $client->list_deleted() },
    undelete => sub ($client, $script) { $client->undelete($script, undef) },
    examine_for_adoption => sub ($client, $script) { $client->examine_for_adoption($script, 0, 100) },
    adopt => sub ($client, $script) { $client->adopt($script, 0, 100) },
    copy_progress => sub ($client, $script) { $client->copy_progress(101) },
    start_move => sub ($client, $script) { $client->start_move($script, 'aggr2') },
    where_is => sub ($client, $script) { $client->where_is($script) },
    rename => sub ($client, $script) { $client->rename($script, 101, undef) },
    hand_over => sub ($client, $script) { $client->hand_over($script, 'b', 'i', 'y') },
    moved_volumes => sub ($client, $script) { $client->moved_volumes(101, $script) },
    take_over => sub ($client, $script) { $client->take_over($script) },
    set_notes => sub ($client, $script) { $client->set_notes($script, 'notes') },
    set_protected => sub ($client, $script) { $client->set_protected($script, 1) },
    export => sub ($client, $script) { $client->export($script, undef, 1) },
    read_import_size => sub ($client, $script) { $client->read_import_size(0) },
    import_volume => sub ($client, $script) { $client->import_volume($script, 4096, 0) },
    prepare_snapshot => sub ($client, $script) { $client->prepare_snapshot($script) },
    create_snapshot => sub ($client, $script) { $client->create_snapshot($script, 's') },
    delete_snapshot => sub ($client, $script) { $client->delete_snapshot($script, 's') },
    rollback_blockers => sub ($client, $script) { $client->rollback_blockers($script, 's') },
    rollback => sub ($client, $script) { $client->rollback($script, 's') },
    list_vm_snapshots => sub ($client, $script) { $client->list_vm_snapshots(undef) },
    list_snapshots => sub ($client, $script) { $client->list_snapshots($script) },
    adopt_snapshot => sub ($client, $script) { $client->adopt_snapshot([$script], 'a', 's') },
    activate_snapshot => sub ($client, $script) { $client->activate_snapshot($script, 's') },
    deactivate_snapshot => sub ($client, $script) { $client->deactivate_snapshot($script, 's') },
);

subtest 'no call is left out' => sub {
    my %no_error = map { $_ => 1 }
        qw(bootstrap check_connection check_settings new take_log);
    no strict 'refs';
    my @methods = grep { defined(&{ NATIVE . "::$_" }) && /\A[a-z]/ && !$no_error{$_} }
        keys(%{ NATIVE . '::' });
    is_deeply([sort(@methods)], [sort(keys(%calls))], 'of what the module has');
};

subtest 'every call turns an error into an object' => sub {
    for my $call (sort(keys(%calls))) {
        my $client = client(script => 'error:busy');
        my $error = error_of(sub { $calls{$call}->($client, 'error:busy') }, $call);
        is($error->code, 'busy', "$call: its code");
    }
};

subtest 'every call turns an exception into an object' => sub {
    for my $call (sort(keys(%calls))) {
        for my $script (qw(throw:standard throw:memory throw:other)) {
            my $client = client(script => $script);
            my $error = error_of(sub { $calls{$call}->($client, $script) }, "$call, $script");
            is($error->code, 'internal', "$call, $script: its code");
        }
    }
    is(error_of(sub { client()->info('throw:standard') })->msg, 'broken invariant [internal]',
        'in one line');
};

subtest 'an error has its code, its line and its facts' => sub {
    my $client = client();
    for my $code (@codes) {
        my $error = error_of(sub { $client->info("error:$code") });
        is($error->code, $code, 'code');
        is($error->msg, "cannot play 'größe': the script says so; write another script"
            . " [$code, svm=pvé, tries=3]",
            'line');
        is("$error", $error->msg . "\n", 'as text, with a newline');
        is_deeply($error->facts, { svm => 'pvé', tries => 3 }, 'facts');
    }
};

subtest 'an error is true, also in a comparison' => sub {
    my $error = error_of(sub { client()->info('error:busy') });
    ok($error, 'true');
    ok($error eq "$error", 'equal to its text');
    like($error, qr/busy/, 'matches');
};

subtest 'nothing is left over when an error is thrown over many calls' => sub {
    my $client = client();
    eval { $client->info('error:busy') } for 1 .. 3;
    ok($client->info('x'), 'the next call works');
};

subtest 'secrets are in no error and no dump' => sub {
    my $secret = 'k33p-me-s3cret';
    my $client = NATIVE->new('store', {}, { password => $secret, nvme_tls_psk => $secret }, {});
    my $error = error_of(sub { $client->info('error:unauthenticated') });
    unlike(Dumper($error), qr/\Q$secret\E/, 'error');
    unlike(Dumper($client), qr/\Q$secret\E/, 'object');
    my $refused = error_of(sub { NATIVE->new('store', { key => 'wrong' }, { password => $secret },
        {}) });
    unlike(Dumper($refused), qr/\Q$secret\E/, 'a constructor that fails');
    $refused = error_of(sub { NATIVE->new('store', [], { password => $secret }, {}) });
    unlike(Dumper($refused), qr/\Q$secret\E/, 'an argument that is refused');
};

done_testing();
