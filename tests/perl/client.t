#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(calls_of answer native_error last_client);
use HookTest qw(PLUGIN scfg dirty error_of said_by said_in_task in_child put_file);

put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');

my sub made ($code) {
    return scalar(grep { $_->[0] eq 'new' } calls_of($code)->@*);
}

subtest 'a client gets settings, secrets and surroundings as clean text' => sub {
    put_file('ontapnvme-cluster-id', "0B1E5A3C-1111-4222-8333-444455556666\n");
    put_file('storage/store.dhchap', "DHHC-1:00:abc:\n");
    PLUGIN->activate_storage($storeid,
        dirty(scfg(debug => 0, verify_ssl => 0, bwlimit => 'x', nodes => { a => 1 })));
    my $client = last_client();
    is($client->{storeid}, 'store', 'storage id');
    is_deeply($client->{settings}, {
        mgmt_ip => '192.0.2.1', username => 'admin', vserver => 'pve', subsystem => 'pve_subsystem',
        aggregate => 'aggr1', debug => 0, verify_ssl => 0,
    }, 'the settings that concern the array, and no others');
    is_deeply($client->{secrets}, { password => 'secret', nvme_dhchap_secret => 'DHHC-1:00:abc:' },
        'secrets');
    is($client->{surroundings}{cluster_id}, '0b1e5a3c-1111-4222-8333-444455556666', 'cluster id');
    is($client->{surroundings}{ca_file}, undef, 'no CA file of its own');
};

subtest 'one client serves a storage for as long as nothing changes' => sub {
    PLUGIN->activate_storage($storeid, $scfg);
    is(made(sub { PLUGIN->activate_storage($storeid, $scfg) for 1 .. 3 }), 0, 'the same settings');
    is(made(sub { PLUGIN->activate_storage($storeid,
        scfg(content => { rootdir => 1 }, nodes => { b => 1 })) }), 0,
        'what does not concern the array');
    is(made(sub { PLUGIN->activate_storage($storeid, scfg(verify_ssl => 0)) }), 1,
        'another setting');
    is(made(sub { PLUGIN->activate_storage($storeid, $scfg) }), 1, 'and back');
    put_file('storage/store.pw', "changed\n");
    is(made(sub { PLUGIN->activate_storage($storeid, $scfg) }), 1, 'another password');
    is(last_client()->{secrets}{password}, 'changed', 'which is used');
    put_file('storage/store.ca.pem', "-----BEGIN\n");
    is(made(sub { PLUGIN->activate_storage($storeid, $scfg) }), 1, 'a CA file');
    like(last_client()->{surroundings}{ca_file}, qr{/storage/store\.ca\.pem\z}, 'which is used');
    put_file('storage/store.ca.pem', "-----BEGIN CERTIFICATE\n");
    is(made(sub { PLUGIN->activate_storage($storeid, $scfg) }), 1, 'another CA file');
    put_file('storage/other.pw', "secret\n");
    is(made(sub { PLUGIN->activate_storage('other', $scfg) }), 1, 'another storage');
    is(made(sub { PLUGIN->activate_storage($storeid, $scfg) }), 0, 'the first is still there');
};

subtest 'a forked process has a client of its own' => sub {
    PLUGIN->activate_storage($storeid, $scfg);
    is(in_child(sub { made(sub { PLUGIN->activate_storage($storeid, $scfg) for 1 .. 2 }) }), 1,
        'one in the child');
    is(made(sub { PLUGIN->activate_storage($storeid, $scfg) }), 0, 'the parent keeps its own');
};

subtest 'text is in characters, however storage.cfg and the secrets came' => sub {
    put_file('storage/store.pw', "gr\xc3\xb6\xc3\x9fe\n");
    PLUGIN->activate_storage($storeid, scfg(username => "caf\xc3\xa9"));
    is(last_client()->{secrets}{password}, "gr\xf6\xdfe", 'a secret');
    is(last_client()->{settings}{username}, "caf\xe9", 'a setting');
    put_file('storage/store.pw', "secret\n");
};

subtest 'a client that cannot be made says why' => sub {
    like(error_of(sub { PLUGIN->activate_storage('nopw', $scfg) }),
        qr/\Astorage 'nopw': no password .*pvesm set nopw --password.*\[invalid-argument\b/,
            'no password');
    like(error_of(sub { PLUGIN->activate_storage('store', scfg(username => "two\nlines")) }),
        qr/'username'/,
        'a setting of two lines');
    put_file('storage/store.pw', "two\nlines\n");
    like(error_of(sub { PLUGIN->activate_storage('store', $scfg) }), qr/store\.pw.*one line/,
        'a secret of two lines');
    put_file('storage/store.pw', "secret\n");
    put_file('ontapnvme-cluster-id', "no uuid\n");
    like(error_of(sub { PLUGIN->activate_storage('store', $scfg) }), qr/cluster-id.*not a UUID/,
        'a cluster id that is none');
    put_file('ontapnvme-cluster-id', "0b1e5a3c-1111-4222-8333-444455556666\n");
    like(error_of(sub { PLUGIN->activate_storage("st\nore", $scfg) }),
        qr/\Astorage 'st\?ore': .*\[invalid-argument\b/,
        'a storage id that is none');
};

subtest 'errors leave as one line of plain text that begins with the storage' => sub {
    answer(activate => native_error('unavailable', "cannot reach the array \x{2026} at all"));
    is(error_of(sub { PLUGIN->activate_storage($storeid, $scfg) }),
        "storage 'store': cannot reach the array ... at all [unavailable]\n", 'text');
    answer(activate => native_error('unavailable', 'cannot trust it; see /etc/<storage>.ca.pem'));
    is(error_of(sub { PLUGIN->activate_storage($storeid, $scfg) }),
        "storage 'store': cannot trust it; see /etc/store.ca.pem [unavailable]\n", 'a hint has the id');
    answer(activate => undef);
};

subtest 'what is not ours passes untouched' => sub {
    my $exception = bless({ code => 403, msg => 'no' }, 'PVE::Exception');
    answer(activate => sub { die $exception });
    ok(!eval { PLUGIN->activate_storage($storeid, $scfg); 1 }, 'it dies');
    is($@, $exception, 'an exception of Proxmox VE');
    answer(activate => sub { die "got timeout\n" });
    ok(!eval { PLUGIN->activate_storage($storeid, $scfg); 1 }, 'it dies');
    is($@, "got timeout\n", 'what a signal handler throws');
    answer(activate => undef);
};

subtest 'what the library has to say is said after the call, also when it fails' => sub {
    my @log = (
        { level => 'warning', text => 'one path is missing' },
        { level => 'info', text => 'reconnected' },
        { level => 'debug', text => 'going on with what is remembered' },
        { level => 'trace', text => 'GET /api/cluster 200 3 ms' },
    );
    answer(free => sub { @PVE::Storage::OntapNvmeTcp::Native::log = @log; die "stopped\n" });
    my $free = sub ($debug) {
        return said_in_task(sub { eval { PLUGIN->free_image($storeid, dirty(scfg(debug => $debug)),
            'vm-100-disk-0') } });
    };
    is_deeply($free->(0), ["task: storage 'store': one path is missing"],
        'warnings go to the task');
    is_deeply($free->(1), [
        "task: storage 'store': one path is missing",
        "info: storage 'store': reconnected\n",
        "debug: storage 'store': going on with what is remembered\n",
    ], 'the rest to standard error, if asked for');
    is($free->(2)->[-1], "trace: storage 'store': GET /api/cluster 200 3 ms\n",
        'every request with a second level');
    is_deeply($free->(0), ["task: storage 'store': one path is missing"], 'every time in a task');
    answer(free => undef);
};

subtest 'outside of a task details reach the system log as well' => sub {
    answer(list => sub (@) {
        @PVE::Storage::OntapNvmeTcp::Native::log = ({ level => 'info', text => 'reconnected' });
        return [];
    });
    my @logged;
    no warnings qw(once redefine);
    local *PVE::SafeSyslog::syslog = sub ($level, $format, @more) {
        push(@logged, "$level: " . sprintf($format, @more));
    };
    my $list = sub { PLUGIN->list_images($storeid, scfg(debug => 1)) };
    said_in_task($list);
    is_deeply(\@logged, [], 'not from a task, which has a log');
    said_by($list);
    is_deeply(\@logged, ["info: info: storage 'store': reconnected"], 'from a daemon');
    answer(list => undef);
};

subtest 'nothing goes to standard output' => sub {
    answer(activate => sub { @PVE::Storage::OntapNvmeTcp::Native::log = ({ level => 'info',
        text => 'x' }) });
    open(my $real, '>&', \*STDOUT) or die "dup: $!\n";
    close(STDOUT);
    my $printed = '';
    open(STDOUT, '>', \$printed) or die "open: $!\n";
    said_by(sub { PLUGIN->activate_storage($storeid, scfg(debug => 2)) });
    close(STDOUT);
    open(STDOUT, '>&', $real) or die "dup: $!\n";
    is($printed, '', 'not a byte');
    answer(activate => undef);
};

done_testing();
