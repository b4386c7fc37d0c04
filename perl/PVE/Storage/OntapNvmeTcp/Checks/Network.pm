# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Checks::Network;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::NodeFiles qw(is_there line_of output_of);

our @EXPORT_OK = qw(packet_size);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Checks::Network - whether the network carries packets as large as this node sends

=head1 DESCRIPTION

=over

=item packet_size(@addresses)

Outcome, text and remedy of a check: each address is sent an echo request that fills the MTU of its interface and
must not be divided. Networks carry 1500 bytes as a rule: smaller interfaces are not tried, nor is what does not
answer echo requests.

=back

=cut

use constant { COMMON_BYTES => 1500, PING => '/usr/bin/ping' };

# Where the whole size is lost, what may pass.
my @smaller = (8000, 4000, 2000);

# For tests: the interface through which this node reaches an address; undef when it cannot be told.
our $interface_of = sub ($address) {
    return output_of('/sbin/ip', '-o', 'route', 'get', $address) =~ /\bdev ([\w.:-]+)/ ? $1 : undef;
};

# For tests: whether one of two echo requests in a packet of that size is answered. It ends within two seconds.
our $answers = sub ($address, $bytes) {
    # Headers of IP and ICMP.
    my $payload = $bytes - ($address =~ /:/ ? 48 : 28);
    return output_of(PING, qw(-n -q -M do -c 2 -i 0.2 -W 1 -w 2 -s), $payload, $address)
        =~ /\b[12] (?:packets )?received\b/ ? 1 : 0;
};

my sub lost ($address, $interface, $mtu) {
    # What answers no small one says nothing about large ones.
    return if !$answers->($address, COMMON_BYTES);
    my ($passes) = grep { $_ < $mtu && $answers->($address, $_) } @smaller;
    $passes //= COMMON_BYTES;
    my $payload = $mtu - ($address =~ /:/ ? 48 : 28);
    return (
        'warn',
        "packets of $mtu bytes, which '$interface' sends, do not reach $address, while $passes bytes do: its path"
            . ' will hang under load',
        "ping -M do -c 3 -s $payload $address; ip link set $interface mtu $passes  # or raise it in the network",
    );
}

sub packet_size (@addresses) {
    my (@lost, $largest, $is_unknown);
    for my $address (@addresses) {
        my $is_plain = $address =~ /\A[0-9a-fA-F.:]+\z/;
        my $interface = $is_plain ? $interface_of->($address) : undef;
        my $mtu = defined($interface) ? line_of("/sys/class/net/$interface/mtu") : undef;
        if (($mtu // '') !~ /\A[0-9]+\z/) {
            $is_unknown = 1;
            next;
        }
        $largest = $mtu if $mtu > ($largest // 0);
        next if $mtu <= COMMON_BYTES;
        return ('skipped', "not tried: there is no '" . PING . "'") if !is_there(PING);
        push(@lost, [$address, $interface, $mtu]) if !$answers->($address, $mtu);
    }
    for my $lost (@lost) {
        my @complaint = lost($lost->@*);
        return @complaint if @complaint;
    }
    return ('skipped', "not tried: $lost[0][0] answers no ping") if @lost;
    return ('skipped', 'the MTU of an interface is not known') if $is_unknown || !defined($largest);
    return ('ok', $largest > COMMON_BYTES ? "$largest bytes reach each data LIF" : "$largest bytes, as everywhere");
}

1;
