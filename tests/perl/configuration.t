#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(calls_of answer native_error last_client);
use HookTest qw(PLUGIN scfg dirty error_of said_by put_file get_file priv_dir set_config);

my $scfg = dirty(scfg());
my $storeid = dirty('store');
my @names = qw(pw dhchap dhchapc tlspsk);

my sub stored {
    my %stored = map { $_ => get_file("storage/store.$_") } @names;
    return { map { $_ => $stored{$_} } grep { defined($stored{$_}) } @names };
}

my sub forget_all {
    unlink(priv_dir() . "/storage/store.$_") for @names;
    return;
}

my sub methods ($calls) {
    return [map { $_->[0] } $calls->@*];
}

subtest 'adding: secrets are stored, the array is asked' => sub {
    my $calls = calls_of(sub {
        my $result = PLUGIN->on_add_hook($storeid, $scfg,
            dirty({ password => "s3cret", nvme_tls_psk => 'psk' })->%*);
        is($result, undef, 'nothing to tell');
    });
    is_deeply(methods($calls), [qw(check_settings new verify)], 'settings first');
    is_deeply(stored(), { pw => "s3cret\n", tlspsk => "psk\n" }, 'files');
    is((stat(priv_dir() . '/storage/store.pw'))[2] & 0777, 0600, 'which only root reads');
    is((stat(priv_dir() . '/storage'))[2] & 0077, 0, 'in a folder that only root enters');
    like(get_file('ontapnvme-cluster-id'), qr/\A[0-9a-f-]{36}\n\z/, 'the cluster has an id');
    is_deeply(last_client()->{secrets}, { password => 's3cret', nvme_tls_psk => 'psk' },
        'the client has them');
    ok(!grep({ /secret|psk/ } map { "$_" } values($scfg->%*)), 'the section has not');
    opendir(my $dir, priv_dir() . '/storage') or die "$!\n";
    is_deeply([grep { /tmp/ } readdir($dir)], [], 'no temporary file is left');
};

subtest 'adding: the command that tries the array is mentioned, and not run' => sub {
    my $line = '';
    my $calls = calls_of(sub {
        local *STDERR;
        open(STDERR, '>', \$line) or die "cannot keep what is said: $!\n";
        PLUGIN->on_add_hook($storeid, $scfg, password => 'x');
    });
    like($line, qr/\Astorage 'store': 'ontapnvme qualify store' [^\n]+\n\z/, 'one line');
    is_deeply(methods($calls), [qw(check_settings new verify)], 'and nothing else is asked');
};

subtest 'adding: what an earlier storage of that name left is replaced' => sub {
    forget_all();
    put_file('storage/store.dhchap', "old\n");
    put_file('storage/store.pw', "old\n");
    put_file('storage/store.disks', "old\n");
    PLUGIN->on_add_hook($storeid, $scfg, password => 'new');
    is_deeply(stored(), { pw => "new\n" }, 'files');
    is(get_file('storage/store.disks'), undef, 'what was known of its disks is not known of these');
};

subtest 'adding: without a password, or with one that cannot be stored' => sub {
    forget_all();
    like(error_of(sub { PLUGIN->on_add_hook($storeid, $scfg) }), qr/--password/, 'none');
    like(error_of(sub { PLUGIN->on_add_hook($storeid, $scfg, password => '') }), qr/'password'/,
        'empty');
    my $error = error_of(sub { PLUGIN->on_add_hook($storeid, $scfg, password => "two\nlines") });
    like($error, qr/'password'.*one line/, 'two lines');
    unlike($error, qr/two|lines"/, 'is not repeated');
    is_deeply(stored(), {}, 'nothing is stored');
};

subtest 'adding: wrong settings are found before anything is written' => sub {
    forget_all();
    answer(check_settings => native_error('invalid-argument', "setting 'x' is not usable"));
    is(error_of(sub { PLUGIN->on_add_hook($storeid, $scfg, password => 'x') }),
        "storage 'store': setting 'x' is not usable [invalid-argument]\n", 'told');
    is_deeply(stored(), {}, 'nothing is stored');
    answer(check_settings => undef);
};

subtest 'adding: when the array refuses, nothing is left' => sub {
    answer(verify => native_error('unauthenticated', 'the array does not accept the account'));
    like(error_of(sub { PLUGIN->on_add_hook($storeid, $scfg, password => 'x',
        nvme_dhchap_secret => 'y') }),
        qr/\[unauthenticated\b/, 'told');
    is_deeply(stored(), {}, 'nothing is stored');
    answer(verify => sub { die "got timeout\n" });
    ok(!eval { PLUGIN->on_add_hook($storeid, $scfg, password => 'x'); 1 }, 'a signal ends it');
    is($@, "got timeout\n", 'in its own words');
    is_deeply(stored(), {}, 'nothing is stored');
    answer(verify => undef);
};

subtest 'updating: new secrets are stored after the array took them' => sub {
    forget_all();
    PLUGIN->on_add_hook($storeid, $scfg, password => 'old', nvme_tls_psk => 'psk');
    my $calls;
    said_by(sub {
        $calls = calls_of(sub {
            PLUGIN->on_update_hook_full($storeid, $scfg, {}, dirty(['nvme_tls_psk']),
                { password => dirty('new'), nvme_tls_psk => undef });
        });
    });
    is_deeply(methods($calls), [qw(check_settings new verify)], 'asked');
    is_deeply(last_client()->{secrets}, { password => 'new' }, 'with the new ones');
    is_deeply(stored(), { pw => "new\n" }, 'then stored, or removed');
    answer(verify => native_error('unauthenticated', 'the array does not accept the account'));
    error_of(sub { PLUGIN->on_update_hook_full($storeid, $scfg, {}, undef,
        { password => 'wrong' }) }, 'refused');
    is_deeply(stored(), { pw => "new\n" }, 'the old one stays');
    answer(verify => undef);
};

subtest 'updating: merged settings are checked, and asked about' => sub {
    my $update = dirty({ adaptive_qos_policy => 'gold' });
    my $calls = calls_of(sub {
        PLUGIN->on_update_hook_full($storeid, dirty(scfg(qos_policy => 'silver', autosize => 0)),
            $update,
            dirty(['qos_policy']), {});
    });
    is_deeply(methods($calls), [qw(check_settings check_settings new verify apply_changes)],
        'both');
    my $settings = $calls->[0][2];
    is($settings->{adaptive_qos_policy}, 'gold', 'what is new');
    ok(!exists($settings->{qos_policy}), 'what goes');
    is($settings->{autosize}, 0, 'what stays');
    is($settings->{vserver}, 'pve', 'what never changes');
    is_deeply(last_client()->{secrets}, { password => 'new' }, 'with the stored secrets');
};

subtest 'updating: another name must be that of the same SVM' => sub {
    my @follow = ($storeid, dirty(scfg()), { vserver => 'pve-mc' }, undef, {});
    my $calls = calls_of(sub { PLUGIN->on_update_hook_full(@follow) });
    is_deeply(methods($calls), [qw(check_settings new require_same_disks verify)], 'asked first');
    is($calls->[1][2]{vserver}, 'pve-mc', 'under the new name');
    answer(require_same_disks => native_error('conflict', 'it is another SVM'));
    is(error_of(sub { PLUGIN->on_update_hook_full(@follow) }),
        "storage 'store': it is another SVM [conflict]\n", 'refused');
    answer(require_same_disks => undef);
    $calls = calls_of(sub {
        PLUGIN->on_update_hook_full($storeid, dirty(scfg()), { vserver => 'pve', aggregate => 'a2' },
            undef, {});
    });
    is_deeply(methods($calls), [qw(check_settings new verify)], 'not asked when it stays the same');
};

subtest 'updating: disks that are there get a new policy' => sub {
    my %old = (snapshot_policy => 'daily', qos_policy => 'silver', snapshot_autodelete => 0);
    my $applied = sub ($update, $delete) {
        my @calls = grep { $_->[0] eq 'apply_changes' } calls_of(sub {
            PLUGIN->on_update_hook_full($storeid, dirty(scfg(%old)), dirty($update),
                dirty($delete), {});
        })->@*;
        return \@calls;
    };
    my %cases = (
        'a change' => [{ qos_policy => 'gold' }, undef],
        'another one' => [{ snapshot_autodelete => 1 }, []],
        'one that is new' => [{ adaptive_qos_policy => 'x' }, ['qos_policy']],
        'one that goes' => [{}, ['snapshot_policy']],
    );
    for my $case (sort(keys(%cases))) {
        my $calls = $applied->($cases{$case}->@*);
        is(scalar($calls->@*), 1, "$case: told once");
        is($calls->[0][1]{$_}, $old{$_}, "$case: '$_' as it was") for sort(keys(%old));
        is($calls->[0][1]{vserver}, 'pve', "$case: with the rest");
    }
    is_deeply($applied->({ %old, autosize => 0 }, ['adaptive_qos_policy']), [],
        'nothing of the kind changed');

    answer(check_settings => sub ($id, $settings) {
        FakeNative::native_error('invalid-argument', 'two policies')->()
            if defined($settings->{qos_policy}) && defined($settings->{adaptive_qos_policy});
    });
    my $broken = dirty(scfg(%old, adaptive_qos_policy => 'by hand'));
    my ($told) = grep { $_->[0] eq 'apply_changes' } calls_of(sub {
        PLUGIN->on_update_hook_full($storeid, $broken, {}, ['adaptive_qos_policy'], {});
    })->@*;
    is_deeply([grep { exists($old{$_}) } keys($told->[1]->%*)], [],
        'settings that were wrong can be corrected: as if there had been none');
    is($told->[1]{vserver}, 'pve', 'with the rest');
    answer(check_settings => undef);

    my $scfg = dirty(scfg(%old));
    my @update = ($storeid, $scfg, { qos_policy => 'gold' }, undef, { nvme_tls_psk => 'late' });
    answer(verify => native_error('not-found', "no QoS policy 'gold'"));
    my $calls = calls_of(sub { error_of(sub { PLUGIN->on_update_hook_full(@update) }) });
    ok(!grep({ $_ eq 'apply_changes' } methods($calls)->@*), 'not what the array does not take');
    answer(verify => undef, apply_changes => native_error('unavailable', 'no answer'));
    is(error_of(sub { PLUGIN->on_update_hook_full(@update) }),
        "storage 'store': no answer [unavailable]\n", 'its failure ends the change');
    is(stored()->{tlspsk}, undef, 'before secrets are stored');
    answer(apply_changes => sub (@) {
        push(@PVE::Storage::OntapNvmeTcp::Native::log,
            { level => 'warning', text => "1 of 3 disks keeps its QoS policy: 'vm-100-disk-0'" });
        return;
    });
    my $said = said_by(sub { PLUGIN->on_update_hook_full(@update) });
    is($said->[0], "storage 'store': 1 of 3 disks keeps its QoS policy: 'vm-100-disk-0'\n",
        'what could not be changed is a warning');
    is(stored()->{tlspsk}, "late\n", 'and no more');
    answer(apply_changes => undef);
    said_by(sub {
        PLUGIN->on_update_hook_full($storeid, $scfg, {}, ['nvme_tls_psk'], { nvme_tls_psk => undef });
    });
};

subtest 'updating: what is not ours works without the array' => sub {
    answer(verify => native_error('unavailable', 'gone'));
    ok(eval { PLUGIN->on_update_hook_full($storeid, $scfg, { debug => 1, force_delete => 1 }, undef,
        undef); 1 },
        'settings that the array does not see') or diag($@);
    error_of(sub { PLUGIN->on_update_hook_full($storeid, $scfg, { verify_ssl => 0 }, [], {}) },
        'others need it');
    my $calls = calls_of(sub {
        for my $update ({ disable => 1 }, { nodes => { a => 1 } }, { content => { images => 1 } },
            {}) {
            ok(eval { PLUGIN->on_update_hook_full($storeid, $scfg, $update, undef, {}); 1 },
                join(' ', keys(%$update)))
                or diag($@);
        }
    });
    is_deeply($calls, [], 'Proxmox VE\'s own settings cause no request');
    answer(verify => undef);
};

subtest 'updating: the password stays' => sub {
    like(error_of(sub { PLUGIN->on_update_hook_full($storeid, $scfg, {}, ['password'],
        { password => undef }) }),
        qr/password/, 'it cannot be deleted');
    ok(stored()->{pw}, 'it is there');
};

subtest 'updating: another prefix only while there are no disks' => sub {
    answer(require_empty => native_error('busy', 'the storage has disks'));
    error_of(sub { PLUGIN->on_update_hook_full($storeid, $scfg, { storage_prefix => 'x_' }, [],
        {}) }, 'refused');
    answer(require_empty => undef);
    ok(eval { PLUGIN->on_update_hook_full($storeid, $scfg, { storage_prefix => 'x_' }, [], {}); 1 },
        'taken');
};

subtest 'updating on a host before API 13' => sub {
    set_config({ store => scfg(qos_policy => 'silver', autosize => 0) });
    my $calls = calls_of(sub { PLUGIN->on_update_hook($storeid, dirty({ verify_ssl => 0 }),
        password => dirty('newer')) });
    is_deeply(methods($calls), [qw(check_settings new verify)], 'the same');
    is($calls->[0][2]{qos_policy}, 'silver', 'the old settings come from storage.cfg');
    is($calls->[0][2]{verify_ssl}, 0, 'the new ones from the call');
    is_deeply(stored(), { pw => "newer\n" }, 'the secret is stored');
    $calls = calls_of(sub { PLUGIN->on_update_hook($storeid, dirty({ qos_policy => 'gold' })) });
    is_deeply([map { $_->[1]{qos_policy} } grep { $_->[0] eq 'apply_changes' } $calls->@*],
        ['silver'], 'a new policy is set on disks, too');
    # The hook does not know what is deleted. A wrong setting must be deletable.
    answer(check_settings => native_error('invalid-argument', 'wrong'));
    ok(eval { PLUGIN->on_update_hook($storeid, {}); 1 },
        'a change that names nothing is not checked');
    answer(check_settings => undef);
};

subtest 'deleting: nothing of the storage is left' => sub {
    put_file('storage/store.disks', "of its disks\n");
    my $calls = calls_of(sub { PLUGIN->on_delete_hook($storeid, $scfg) });
    is_deeply([grep { $_ ne 'new' } methods($calls)->@*], [qw(require_empty forget)],
        'empty, then forgotten');
    is_deeply(stored(), {}, 'no secrets');
    is(get_file('storage/store.disks'), undef, 'no memory of its disks');
    ok(get_file('ontapnvme-cluster-id'), 'the cluster keeps its id');
};

subtest 'deleting: not while there are disks' => sub {
    PLUGIN->on_add_hook($storeid, $scfg, password => 'x');
    answer(require_empty => native_error('busy', 'the storage has disks: vm-100-disk-0'));
    like(error_of(sub { PLUGIN->on_delete_hook($storeid, $scfg) }), qr/vm-100-disk-0.*\[busy\b/,
        'refused');
    is_deeply(stored(), { pw => "x\n" }, 'the secrets stay');
};

subtest 'deleting: a stopped task has not looked' => sub {
    answer(require_empty => native_error('interrupted', 'stopped by a signal'));
    like(error_of(sub { PLUGIN->on_delete_hook($storeid, $scfg) }), qr/\[interrupted\b/, 'it ends');
    is_deeply(stored(), { pw => "x\n" }, 'the secrets stay');
};

subtest 'deleting: not while the SVM only has another name' => sub {
    answer(require_empty => native_error('conflict', q{SVM 'a' is called 'b' now}));
    like(error_of(sub { PLUGIN->on_delete_hook($storeid, $scfg) }), qr/is called 'b' now/, 'refused');
    is_deeply(stored(), { pw => "x\n" }, 'the secrets stay');
    answer(require_empty => sub (@) {
        my $error = PVE::Storage::OntapNvmeTcp::Error->new('conflict', q{SVM 'a' is another});
        $error->facts()->{svm_state} = 'replaced';
        die $error;
    });
    my $said = said_by(sub { PLUGIN->on_delete_hook($storeid, $scfg) });
    like($said->[0], qr/not checked for disks: SVM 'a' is another/, 'one made anew has none of them');
    is_deeply(stored(), {}, 'no secrets');
    PLUGIN->on_add_hook($storeid, $scfg, password => 'x');
};

subtest 'deleting: works while the array is gone' => sub {
    answer(require_empty => native_error('unavailable', 'no answer'));
    my $said = said_by(sub { PLUGIN->on_delete_hook($storeid, $scfg) });
    is_deeply($said, ["storage 'store': not checked for disks: no answer [unavailable]\n"],
        'a warning');
    is_deeply(stored(), {}, 'no secrets');
};

subtest 'deleting: after an add that failed disks do not matter' => sub {
    PLUGIN->on_add_hook($storeid, $scfg, password => 'x');
    set_config({});
    answer(require_empty => native_error('busy', 'the storage has disks'));
    my $calls = calls_of(sub { PLUGIN->on_delete_hook($storeid, $scfg) });
    ok(!grep({ $_ eq 'require_empty' } methods($calls)->@*), 'not asked');
    is_deeply(stored(), {}, 'no secrets');
    answer(require_empty => undef);
};

subtest 'changing a secret of the data paths says when a node takes it' => sub {
    put_file('storage/store.pw', "secret\n");
    my $said = sub (%secrets) {
        return join('', said_by(sub {
            PLUGIN->on_update_hook_full($storeid, $scfg, {}, [], { %secrets });
        })->@*);
    };
    like($said->(nvme_dhchap_secret => 'DHHC-1:00:bmV3:'), qr/from its next connection on/, 'set');
    like($said->(nvme_dhchap_secret => undef), qr/from its next connection on/, 'taken away');
    is($said->(password => 'new'), '', 'the password is none of these');
};

done_testing();
