#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# A storage with every kind of secret is added, polled, used and made to fail in every way; then
# each secret is looked for wherever others can look.
use v5.36;

use File::Find qw(find);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Test::More;

use HookTest qw(PLUGIN dirty priv_dir set_config put_file);
use SimTest qw(start_array storage);

# No two secrets share a beginning, so that half of one is found as well.
my %secrets = (
    password => 'pW-kestrel-7731-Zq',
    nvme_dhchap_secret => 'DHHC-1:00:aG9zdC1zZWNyZXQtb3NwcmV5LTQ0MTI5OTAwMTEyMg==:',
    nvme_dhchap_ctrl_secret => 'DHHC-1:00:Y3RybC1zZWNyZXQtbWVybGluLTg4MzE3NzU1MDAzMw==:',
    nvme_tls_psk => 'NVMeTLSkey-1:01:cHNrLWhhcnJpZXItNTUxMjA5MzMxMTc3NjY4ODEyMzQ=:',
);
my %needles = (
    %secrets,
    'the header of a login' => encode_base64("admin:$secrets{password}", ''),
    'a wrong password' => 'wr0ng-goshawk-9917',
    'the header of a wrong login' => encode_base64('admin:wr0ng-goshawk-9917', ''),
    # The parts that mean something, should a format be taken apart.
    map { $_ => substr($secrets{$_}, 16, 20) } grep { /nvme/ } keys(%secrets),
);
$needles{"all of $_"} = $secrets{$_} for keys(%secrets);

my $accounts = [{ name => 'admin', password => $secrets{password} }];
my $sim = start_array(config => { accounts => $accounts });
my $elsewhere = OntapSim->start(config => { accounts => $accounts });
my $plain = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', Blocking => 0)
    or die "listen: $!\n";

my %places; # where => text
my $storeid = dirty('store');
my $scfg = storage($sim, 'store', nvme_tls => 1, debug => 2);
set_config({ store => $scfg });
$scfg = dirty($scfg);

my sub slurp ($path) {
    open(my $handle, '<', $path) or return '';
    local $/;
    return readline($handle) // '';
}

my sub look_at_process ($pid, $name) {
    $places{"$_ of $name"} .= slurp("/proc/$pid/$_") for qw(cmdline environ comm);
    return;
}

# What a step says, prints or dies with, at the level of descriptors: native code included.
my ($scratch) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
my $steps = 0;
my $failures = 0;

my sub step ($name, $code) {
    open(my $out, '>&', \*STDOUT) or die "dup: $!\n";
    open(my $err, '>&', \*STDERR) or die "dup: $!\n";
    open(STDOUT, '>', "$scratch/printed") or die "open: $!\n";
    open(STDERR, '>&', \*STDOUT) or die "dup: $!\n";
    my @said;
    local $SIG{__WARN__} = sub ($text) { push(@said, $text) };
    no warnings qw(once redefine);
    local *PVE::RESTEnvironment::log_warn = sub ($text) { push(@said, $text) };
    my $done = eval { $code->(); 1 };
    my $error = $@;
    open(STDOUT, '>&', $out) or die "dup: $!\n";
    open(STDERR, '>&', $err) or die "dup: $!\n";
    $steps++;
    $failures++ if !$done;
    $places{"the errors of '$name'"} = $done ? '' : "$error";
    $places{"the warnings of '$name'"} = join('', @said);
    $places{"the output of '$name'"} = slurp("$scratch/printed");
    look_at_process($$, 'perl');
    return $done;
}

subtest 'a storage lives' => sub {
    ok(!step('add with a wrong password', sub {
        PLUGIN->on_add_hook($storeid, $scfg, %secrets, password => $needles{'a wrong password'});
    }), 'not with a wrong password');
    ok(step('add', sub { PLUGIN->on_add_hook($storeid, $scfg, dirty(\%secrets)->%*) }), 'added')
        or diag($places{"the errors of 'add'"});
    step('poll', sub {
        PLUGIN->check_connection($storeid, $scfg);
        PLUGIN->status($storeid, $scfg);
    });
    step('activate', sub { PLUGIN->activate_storage($storeid, $scfg, {}) });
    ok(step('allocate', sub { PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', undef, 4096) }),
        'allocated');
    step('list', sub { PLUGIN->list_images($storeid, $scfg) });
    step('snapshot', sub { PLUGIN->volume_snapshot($scfg, $storeid, 'vm-100-disk-0', 's') });
    step('activate a volume', sub { PLUGIN->activate_volume($storeid, $scfg, 'vm-100-disk-0') });
    ok(!step('change to a wrong password', sub {
        PLUGIN->on_update_hook_full($storeid, $scfg, {}, [],
            { password => $needles{'a wrong password'} });
    }), 'not to a wrong password');
};

subtest 'everything fails' => sub {
    my %faults = (
        'no answer' => { drop_after => \1 },
        'half an answer' => { truncated => \1 },
        'no JSON' => { malformed => \1 },
        'an error' => { status => 500, code => 4, message => 'no' },
        'no login' => { status => 401 },
        'an error that quotes' => {
            status => 400,
            code => 4,
            message => join(' and ', 'bad', values(%secrets), $needles{'the header of a login'}),
        },
        'a redirect over TLS' => { redirect => $elsewhere->url() . '/api/cluster' },
        'a redirect with a login' =>
            { redirect => $elsewhere->url() =~ s{//}{//admin:x\@}r . '/api/' },
        'a redirect without TLS' => { redirect => 'http://127.0.0.1:' . $plain->sockport() . '/' },
    );
    for my $name (sort(keys(%faults))) {
        $sim->fault(times => -1, $faults{$name}->%*);
        ok(!step("$name to a list", sub { PLUGIN->list_images($storeid, $scfg) }), $name);
        step("$name to a poll", sub { PLUGIN->status($storeid, $scfg) });
        step("$name to an allocation",
            sub { PLUGIN->alloc_image($storeid, $scfg, 101, 'raw', undef, 4096) });
        $sim->clear_faults();
    }
    like($places{"the errors of 'an error that quotes to a list'"}, qr/bad( and \*\*\*){5} \[/,
        'the array\'s words are shown without what they quote');
    my $gone = { $scfg->%*, mgmt_ip => '127.0.0.1:1' };
    ok(!step('no array', sub { PLUGIN->list_images($storeid, $gone) }), 'no array');
    my $ca = slurp(priv_dir() . '/storage/store.ca.pem');
    unlink(priv_dir() . '/storage/store.ca.pem');
    ok(!step('no trust', sub { PLUGIN->list_images($storeid, $scfg) }), 'no trust');
    put_file('storage/store.ca.pem', $ca);
    my $odd = { $scfg->%*, vserver => '*' };
    ok(!step('a wrong setting', sub { PLUGIN->list_images($storeid, $odd) }), 'a wrong setting');
    ok(step('free', sub { PLUGIN->free_image($storeid, $scfg, 'vm-100-disk-0') }), 'and works again');
};

subtest 'the helper program' => sub {
    my ($program) = ($ENV{NVME_FABRICS} // '') =~ /\A(.+)\z/
        or plan(skip_all => 'NVME_FABRICS does not name it');
    local %ENV = (PATH => '/usr/bin:/bin');
    pipe(my $request_reader, my $request) or die "pipe: $!\n";
    pipe(my $reply, my $reply_writer) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        open(STDIN, '<&', $request_reader);
        open(STDOUT, '>&', $reply_writer);
        open(STDERR, '>&', $reply_writer);
        close($request);
        { exec { $program } $program; }
        require POSIX;
        POSIX::_exit(127);
    }
    close($reply_writer);
    # A request that is refused before a device is opened: here may be a real one. The last part is
    # held back, so that there is a process to look at.
    syswrite($request, "verb=connect\nnqn=a\ntraddr=b\ntrsvcid=c\nhostnqn=d\n"
            . "dhchap_secret=$secrets{nvme_dhchap_secret}\n"
            . "dhchap_ctrl_secret=$secrets{nvme_dhchap_ctrl_secret}\n");
    # It is itself, and hardened, once it has read: nothing is left in the pipe.
    my $limits = '';
    for (1 .. 5000) {
        $limits = slurp("/proc/$pid/limits");
        last if $limits =~ /^Max core file size\s+0\s+0\s/m;
        select(undef, undef, undef, 0.001);
    }
    like($limits, qr/^Max core file size\s+0\s+0\s/m, 'leaves no core file');
    look_at_process($pid, 'the helper');
    syswrite($request, "tls_psk=$secrets{nvme_tls_psk}\n");
    close($request);
    close($request_reader);
    local $/;
    $places{'the reply of the helper'} = readline($reply);
    waitpid($pid, 0);
    like($places{'the reply of the helper'}, qr/\Aerror [0-9]+ hostid is missing\n\z/, 'answers');
};

subtest 'what was left and what was sent' => sub {
    $places{'the process list'} = join("\n", map { slurp($_) } glob('/proc/[0-9]*/cmdline'));
    for my $folder (
        $PVE::Storage::OntapNvmeTcp::surroundings{state_directory},
        $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory,
    ) {
        next if !-d $folder;
        find({ no_chdir => 1, untaint => 1, wanted => sub {
            $places{"the file $File::Find::name"} = $File::Find::name
                . (-l ? readlink() : -f ? slurp($_) : '');
        } }, $folder);
    }
    # Secrets are stored in files that are theirs, and in no other.
    my %owner = ("store.pw" => 'password', 'store.dhchap' => 'nvme_dhchap_secret',
        'store.dhchapc' => 'nvme_dhchap_ctrl_secret', 'store.tlspsk' => 'nvme_tls_psk');
    find({ no_chdir => 1, untaint => 1, wanted => sub {
        return if !-f;
        my ($file) = m{([^/]+)\z};
        $places{"the private file $file"} = slurp($_) if !$owner{$file};
        is((stat($_))[2] & 07777, 0600, "$file is root's alone") if $owner{$file};
    } }, priv_dir());
    is($elsewhere->count(), 0, 'no other host got a request');
    ok(!$plain->accept(), 'nor connected to');
    # The array itself gets the login and, when a host is added, the secrets of the fabric.
    $places{'the paths that were asked for'} = join("\n", map { $_->{target} } $sim->log());
};

subtest 'no secret is anywhere' => sub {
    my $searches = 0;
    for my $place (sort(keys(%places))) {
        for my $name (sort(keys(%needles))) {
            $searches++;
            fail("$name stands in $place") if index($places{$place}, $needles{$name}) >= 0;
        }
    }
    cmp_ok(index(slurp(priv_dir() . '/storage/store.pw'), $needles{password}), '>=', 0,
        'what is there is found');
    cmp_ok(length($places{"the output of 'list'"}), '>', 0, 'debug 2 says something');
    cmp_ok($failures, '>', 15, 'many steps failed');
    pass(sprintf('%d secrets and their forms in %d places after %d steps',
        scalar(keys(%needles)), scalar(keys(%places)), $steps));
    diag(sprintf('%d secrets and their forms, %d places, %d searches', scalar(keys(%needles)),
        scalar(keys(%places)), $searches));
};

done_testing();
