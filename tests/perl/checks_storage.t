#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(scfg put_file priv_dir);
use NodeTree qw(healthy_node write_node remove_node NQN);
use PVE::Storage::OntapNvmeTcp::Checks::Storage qw(storage_checks);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse);
use PVE::Storage::OntapNvmeTcp::NodePaths qw(paths_of);

# The library, whose answers a test sets: what a call returns, or what it dies with.
my ($answer, $settings_error);
{
    no warnings qw(once redefine);
    *PVE::Storage::OntapNvmeTcp::Checks::Storage::native = sub ($storeid, $scfg, $code) {
        return $code->(bless({}, 'Answering'), $storeid);
    };
    *PVE::Storage::OntapNvmeTcp::Checks::Storage::check_settings = sub ($storeid, $scfg) {
        refuse('invalid-argument', $settings_error) if defined($settings_error);
    };
    *Answering::examine = sub {
        die $answer if !ref($answer);
        return $answer;
    };
}

# What the network carries on the way to an address.
my %carries;
my $ask = $PVE::Storage::OntapNvmeTcp::Checks::Network::answers;
$PVE::Storage::OntapNvmeTcp::Checks::Network::answers = sub ($address, $bytes) {
    return $bytes <= ($carries{$address} // 9000);
};

my $end_s;
my $read_end = $PVE::Storage::OntapNvmeTcp::Checks::Storage::end_of_certificate;
$PVE::Storage::OntapNvmeTcp::Checks::Storage::end_of_certificate = sub { return $end_s };

my $scfg;
my sub heal {
    healthy_node();
    %carries = ();
    $answer = [
        { check => 'array', outcome => 'ok', text => 'it answers', remedy => undef },
        { check => 'lifs', outcome => 'ok', text => '2 up', remedy => undef },
    ];
    $settings_error = undef;
    $end_s = time() + 365 * 86_400;
    $scfg = scfg(subsystem => 'pve');
    put_file('storage/tank.pw', "secret\n");
    put_file('storage/tank.ca.pem', "a certificate\n");
    return;
}

my sub complaints (@results) {
    return [map { $_->{outcome} =~ /\A(?:warn|fail)\z/ ? "$_->{check} $_->{outcome}" : () } @results];
}

heal();
my @healthy = storage_checks('tank', $scfg);
is_deeply(complaints(@healthy), [], 'a healthy storage gives no warning');
is(scalar(grep { $_->{outcome} ne 'ok' } @healthy), 0, 'and nothing is skipped');
is(scalar(grep { ($_->{text} . ($_->{remedy} // '')) =~ /secret/ } @healthy), 0, 'nor says a secret');
my %checks = map { $_->{check} => 1 } @healthy;

# What is broken, which check complains, how, a part of its text, a part of the remedy.
my $nvme = '/sys/class/nvme';
my @breaks = (
    ['settings fail', qr/too long/, qr/man 5 /, sub { $settings_error = 'it is too long' }],
    ['password fail', qr/no password/, qr/pvesm set tank --password/, sub {
        unlink(priv_dir() . '/storage/tank.pw');
    }],
    ['certificate warn', qr/verify_ssl is off/, qr/--verify_ssl 1/, sub { $scfg->{verify_ssl} = 0 }],
    ['certificate warn', qr/ends in 29 days/, qr/openssl s_client/, sub {
        $end_s = time() + 30 * 86_400 - 60;
    }],
    ['certificate fail', qr/has ended/, qr/-connect 192\.0\.2\.1:443 </, sub { $end_s = time() - 60 }],
    ['certificate fail', qr/has ended/, qr/-connect 192\.0\.2\.1:8443 </, sub {
        $end_s = time() - 60;
        $scfg->{mgmt_ip} = '192.0.2.1:8443';
    }],
    ['certificate fail', qr/has ended/, qr/-connect \[2001:db8::1\]:443 </, sub {
        $end_s = time() - 60;
        $scfg->{mgmt_ip} = '2001:db8::1';
    }],
    ['certificate warn', qr/not a certificate/, qr/openssl x509/, sub { $end_s = undef }],
    ['lifs warn', qr/is down/, qr/interface show/, sub {
        $answer->[1] =
            { check => 'lifs', outcome => 'warn', text => 'one is down', remedy => 'network interface show' };
    }],
    ['array fail', qr/\Acannot ask: /, qr/ontapnvme doctor tank/, sub {
        $answer = "storage 'tank': cannot ask: for a reason [internal]\n";
    }],
    ['paths fail', qr/no live data path/, qr/pvesm status --storage tank/, sub {
        write_node("$nvme/nvme$_/state", 'connecting') for 1, 2;
    }],
    ['paths fail', qr/no live data path/, qr/pvesm status/, sub {
        write_node("$nvme/nvme$_/subsysnqn", 'nqn.1992-08.com.netapp:sn.d3f1:subsystem.other') for 1, 2;
    }],
    ['paths warn', qr/one path only/, qr/network interface show/, sub {
        remove_node("$nvme/nvme2/$_") for qw(subsysnqn);
    }],
    ['path warn', qr/nvme2 to 10\.0\.0\.2 is 'connecting'/, qr/ping -c 3 10\.0\.0\.2/, sub {
        write_node("$nvme/nvme2/state", 'connecting');
    }],
    ['io-policy warn', qr/one path at a time/, qr{nvme-subsys0/iopolicy}, sub {
        write_node('/sys/class/nvme-subsystem/nvme-subsys0/iopolicy', 'numa');
    }],
    ['path-loss warn', qr/nvme1 is given up after 600 s/, qr/echo -1/, sub {
        write_node("$nvme/nvme1/ctrl_loss_tmo", 600);
    }],
    ['path-queues warn', qr/nvme1 has no queue/, qr/nvme disconnect -d nvme1/, sub {
        write_node("$nvme/nvme1/queue_count", 1);
    }],
    ['path-mtu warn', qr/9000 bytes, which 'eth1' sends, do not reach 10\.0\.0\.2, while 4000/,
        qr/ping -M do -c 3 -s 8972 10\.0\.0\.2; ip link set eth1 mtu 4000/, sub {
            write_node('/sys/class/net/eth1/mtu', 9000);
            write_node('/usr/bin/ping', '');
            $carries{'10.0.0.2'} = 4000;
        }],
    ['path-identity warn', qr/connected as 'nqn\.old'/, qr/restart this node/, sub {
        write_node("$nvme/nvme1/hostnqn", 'nqn.old');
    }],
);
my %broken;
for my $break (@breaks) {
    my ($complaint, $text, $remedy, $do) = $break->@*;
    heal();
    $do->();
    my @results = storage_checks('tank', $scfg);
    is_deeply(complaints(@results), [$complaint], "'$complaint', and nothing else");
    my ($result) = grep { "$_->{check} $_->{outcome}" eq $complaint } @results;
    like($result->{text} // '', $text, 'with what is wrong');
    like($result->{remedy} // '', $remedy, 'with what to do');
    my %seen = map { $_->{check} => 1 } @results;
    # Those of the single paths and of the array are only there where there is somebody to say them.
    my %here = map { $_ => 1 } grep { $_ ne 'path' && $_ ne 'lifs' } keys(%checks);
    is_deeply({ %seen{ keys(%here) } }, \%here, 'among the same checks');
    $broken{ $complaint =~ s/ .*//r } = 1;
}
is_deeply([sort(keys(%broken))], [sort(keys(%checks))], 'each check has been broken');

subtest 'what the kernel does not say is no complaint' => sub {
    heal();
    remove_node("$nvme/nvme1/$_") for qw(ctrl_loss_tmo queue_count hostnqn);
    remove_node('/sys/class/nvme-subsystem/nvme-subsys0/iopolicy');
    is_deeply(complaints(storage_checks('tank', $scfg)), [], 'by itself');
    unlink(priv_dir() . '/storage/tank.ca.pem');
    is_deeply(complaints(storage_checks('tank', $scfg)), [], 'nor is an array with a public certificate');
};

subtest 'what the network carries' => sub {
    my $told = sub (@changes) {
        heal();
        write_node('/usr/bin/ping', '');
        while (my ($path, $text) = splice(@changes, 0, 2)) { write_node($path, $text) }
        my ($result) = grep { $_->{check} eq 'path-mtu' } storage_checks('tank', $scfg);
        return $result;
    };
    my $mtu = '/sys/class/net/eth1/mtu';
    is($told->($mtu, 9000)->{outcome}, 'ok', 'large packets that arrive');
    like($told->($mtu, 1500)->{text}, qr/as everywhere/, 'small ones are not tried');
    heal();
    write_node($mtu, 9000);
    my ($result) = grep { $_->{check} eq 'path-mtu' } storage_checks('tank', $scfg);
    is($result->{outcome}, 'skipped', 'nothing is said without ping');
    like($result->{text}, qr/not tried/, 'which is told');
    write_node('/usr/bin/ping', '');
    $carries{$_} = 0 for qw(10.0.0.1 10.0.0.2);
    ($result) = grep { $_->{check} eq 'path-mtu' } storage_checks('tank', $scfg);
    is($result->{outcome}, 'skipped', 'nor of what answers none');
    $carries{'10.0.0.2'} = 1500;
    ($result) = grep { $_->{check} eq 'path-mtu' } storage_checks('tank', $scfg);
    like($result->{text}, qr/10\.0\.0\.2, while 1500 bytes do/, 'but of the next one that does');
    $result = $told->($mtu, 'large');
    is($result->{outcome}, 'skipped', 'nor of an interface that does not tell');
    write_node('/sys/class/nvme/nvme1/address', 'traddr=2001:db8::1,trsvcid=4420');
    write_node($mtu, 9000);
    $carries{'2001:db8::1'} = 8999;
    ($result) = grep { $_->{check} eq 'path-mtu' } storage_checks('tank', $scfg);
    like($result->{remedy}, qr/-s 8952 2001:db8::1/, 'IPv6 has a larger header');
};

subtest 'a real echo request' => sub {
    plan(skip_all => 'there is no ping') if !-x '/usr/bin/ping';
    plan(skip_all => 'ping may not ask here') if !$ask->('127.0.0.1', 100);
    ok($ask->('127.0.0.1', 1500), 'is answered');
    ok(!$ask->('127.0.0.1', 65_537), 'unless it is too large');
};

subtest 'the paths are those of its subsystem' => sub {
    heal();
    write_node("$nvme/nvme3/subsysnqn", 'nqn.1992-08.com.netapp:sn.d3f1:subsystem.notpve');
    write_node("$nvme/nvme4/subsysnqn", 'nqn.2014-08.org.example:subsystem.pve');
    is_deeply([map { $_->{name} } paths_of($scfg)], ['nvme1', 'nvme2'], 'and no others');
    is((paths_of($scfg))[0]{address}, '10.0.0.1', 'with their address');
};

subtest 'the end of a real certificate' => sub {
    plan(skip_all => 'there is no openssl') if !-x '/usr/bin/openssl';
    delete(local @ENV{qw(IFS CDPATH ENV BASH_ENV)});
    local $ENV{PATH} = '/usr/bin:/bin';
    my $folder = priv_dir();
    system('/usr/bin/openssl', qw(req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 100),
        '-subj', '/CN=array', '-keyout', '/dev/null', '-out', "$folder/made.pem", '-batch');
    plan(skip_all => 'openssl makes none') if !-s "$folder/made.pem";
    # As in a daemon: its environment is not to be trusted, and must not matter.
    $ENV{PATH} = "$ENV{HOME}:/usr/bin";
    my $left_s = $read_end->("$folder/made.pem") - time();
    cmp_ok(abs($left_s - 100 * 86_400), '<', 600, 'is read');
    is($read_end->('/dev/null'), undef, 'none is unknown');
};

done_testing();
