# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Checks::Storage;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp qw(check_settings);
use PVE::Storage::OntapNvmeTcp::Border qw(at_border native);
use PVE::Storage::OntapNvmeTcp::Checks::Network qw(packet_size);
use PVE::Storage::OntapNvmeTcp::NodeFiles qw(line_of names_in output_of);
use PVE::Storage::OntapNvmeTcp::NodePaths qw(paths_of);
use PVE::Storage::OntapNvmeTcp::PrivateFiles qw(ca_file);
use PVE::Storage::OntapNvmeTcp::Secrets;

our @EXPORT_OK = qw(storage_checks);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Checks::Storage - what one storage needs of array, node and network

=head1 DESCRIPTION

=over

=item storage_checks($storeid, $scfg)

As L<PVE::Storage::OntapNvmeTcp::Checks::Node/node_checks>, for one storage; C<path> comes once for each
controller. Changes nothing.

=back

=cut

use constant EXPIRES_SOON_S => 30 * 86_400;

# For tests: when the certificate of a file ends, as seconds since the epoch; undef when it cannot be
# told.
our $end_of_certificate = sub ($file) {
    my $line =
        output_of(qw(/usr/bin/openssl x509 -noout -enddate -dateopt iso_8601 -in), $file);
    my ($year, $month, $day, $h, $m, $s) =
        $line =~ /\AnotAfter=(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)Z/i or return undef;
    require Time::Local;
    return Time::Local::timegm($s, $m, $h, $day, $month - 1, $year);
};

# What a call fails with, without the storage's name, which stands before every result anyway.
my sub reason ($storeid, $error) {
    return "$error" =~ s/\Astorage '\Q$storeid\E': //r =~ s/\n\z//r;
}

my sub result ($check, $outcome, $text, $remedy = undef) {
    return {
        check => $check, outcome => $outcome, text => $text, defined($remedy) ? (remedy => $remedy) : (),
    };
}

my sub ok ($check, $text) { return result($check, 'ok', $text) }

my sub skipped ($because, @checks) {
    return map { result($_, 'skipped', "not looked at: '$because' comes first") } @checks;
}

# As openssl takes it.
my sub peer ($mgmt_ip) {
    return $mgmt_ip if $mgmt_ip =~ /\A(?:\[.+\]|[^:]+):[0-9]+\z/;
    return ($mgmt_ip =~ /\A[^\[]*:/ ? "[$mgmt_ip]" : $mgmt_ip) . ':443';
}

my sub certificate ($storeid, $scfg) {
    return result(
        'certificate', 'warn',
        'verify_ssl is off: whoever answers at the address of the array gets its password',
        "pvesm set $storeid --verify_ssl 1",
    ) if !($scfg->{verify_ssl} // 1);
    my $file = ca_file($storeid);
    return ok('certificate', "the system's authorities vouch for the array") if !-e $file;
    my $end = $end_of_certificate->($file);
    return result('certificate', 'warn', "'$file' is not a certificate in PEM",
        "openssl x509 -noout -text -in $file") if !defined($end);
    my $left_s = $end - time();
    my $days = int($left_s / 86_400);
    return ok('certificate', "'$file' is valid for $days days") if $left_s > EXPIRES_SOON_S;
    return result(
        'certificate', $left_s > 0 ? 'warn' : 'fail',
        "'$file' " . ($left_s > 0 ? "ends in $days days" : 'has ended'),
        "openssl s_client -showcerts -connect ${\ peer($scfg->{mgmt_ip}) } </dev/null",
    );
}

# What the library finds on the array, and of the node's place on it.
my sub of_array ($storeid, $scfg) {
    my $results = eval { native($storeid, $scfg, sub ($client, $) { $client->examine() }) };
    return result('array', 'fail', reason($storeid, $@), "ontapnvme doctor $storeid") if !$results;
    return map { result($_->@{qw(check outcome text remedy)}) } $results->@*;
}

my @of_paths = qw(io-policy path-loss path-queues path-identity path-mtu);

my sub of_paths ($storeid, $scfg) {
    my @paths = paths_of($scfg);
    my @live = grep { $_->{state} eq 'live' } @paths;
    my $connect = "pvesm status --storage $storeid";
    return (
        result('paths', 'fail', 'there is no live data path: guests cannot reach their disks', $connect),
        skipped('paths', (map { 'path' } @paths), @of_paths),
    ) if !@live;
    my @results = (@paths > 1
        ? ok('paths', scalar(@live) . ' live')
        : result('paths', 'warn', 'there is one path only: its loss stops all disks',
            "network interface show -vserver $scfg->{vserver} -fields status-oper,address"));
    push(@results, map {
        $_->{state} eq 'live'
            ? ok('path', "$_->{name} to $_->{address}")
            : result('path', 'warn', "$_->{name} to $_->{address} is '$_->{state}'",
                "ping -c 3 $_->{address}; nc -zv $_->{address} 4420")
    } @paths);

    my ($subsystem) = grep { (line_of("/sys/class/nvme-subsystem/$_/subsysnqn") // '') eq $live[0]{subsystem} }
        names_in('/sys/class/nvme-subsystem');
    my $policy = defined($subsystem) ? line_of("/sys/class/nvme-subsystem/$subsystem/iopolicy") : undef;
    push(@results, ($policy // 'unknown') eq 'numa'
        ? result('io-policy', 'warn', "the kernel uses one path at a time ('numa')",
            "echo round-robin > /sys/class/nvme-subsystem/$subsystem/iopolicy")
        : ok('io-policy', $policy // 'the kernel does not say'));

    my ($ends) = grep { defined($_->{ctrl_loss_tmo}) && $_->{ctrl_loss_tmo} !~ /\A(?:off|-1)\z/ } @paths;
    push(@results, $ends
        ? result('path-loss', 'warn',
            "$ends->{name} is given up after $ends->{ctrl_loss_tmo} s without the array",
            "echo -1 > /sys/class/nvme/$ends->{name}/ctrl_loss_tmo")
        : ok('path-loss', 'paths outlive an outage of any length'));

    # One of them is the admin queue.
    my ($narrow) = grep { ($_->{queues} // 2) =~ /\A[0-9]+\z/ && ($_->{queues} // 2) < 2 } @live;
    push(@results, $narrow
        ? result('path-queues', 'warn', "$narrow->{name} has no queue for data",
            "nvme disconnect -d $narrow->{name}; $connect")
        : ok('path-queues', 'each path has queues for data'));

    my $own = line_of('/etc/nvme/hostnqn') // '';
    my ($other) = grep { $own ne '' && ($_->{host_nqn} // $own) ne $own } @live;
    push(@results, $other
        ? result('path-identity', 'warn',
            "$other->{name} is connected as '$other->{host_nqn}', which is not in '/etc/nvme/hostnqn'",
            'qm list  # move the guests away, then restart this node')
        : ok('path-identity', 'connected under the host NQN of this node'));
    push(@results, result('path-mtu', packet_size(map { $_->{address} } @live)));
    return @results;
}

sub storage_checks ($storeid, $scfg) {
    my @results;
    my $settings_fit = eval { at_border($storeid, sub ($id) { check_settings($id, $scfg) }); 1 };
    my $error = $@;
    push(@results, $settings_fit
        ? ok('settings', 'they are possible')
        : result('settings', 'fail', reason($storeid, $error), 'man 5 ontapnvme-storage.cfg'));
    my $secrets = eval { PVE::Storage::OntapNvmeTcp::Secrets::load($storeid) } // {};
    my $has_password = length($secrets->{password} // '');
    push(@results, $has_password
        ? ok('password', 'one is stored')
        : result('password', 'fail', 'no password is stored', "pvesm set $storeid --password"));
    push(@results, certificate($storeid, $scfg));
    my $trouble = !$settings_fit ? 'settings' : !$has_password ? 'password' : undef;
    push(@results, defined($trouble) ? skipped($trouble, 'array') : of_array($storeid, $scfg));
    push(@results, of_paths($storeid, $scfg));
    return @results;
}

1;
