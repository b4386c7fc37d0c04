# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Secrets;

# What the chapters with secrets on the data paths share: keys of the common form, a node that starts
# anew, and an array that does not take a changed key from it.

use v5.36;

use Compress::Raw::Zlib qw(crc32);
use MIME::Base64        qw(encode_base64);

# Of the form that nvme-cli makes, behind `$prefix`: 32 bytes and their checksum.
sub make ($prefix) {
    open(my $random, '<:raw', '/dev/urandom') or die "no random numbers: $!\n";
    read($random, my $bytes, 32) == 32 or die "too few random numbers\n";
    return "$prefix:" . encode_base64($bytes . pack('V', crc32($bytes)), '') . ':';
}

# As a node that is restarted: without connections, and with what it remembers in /run gone.
sub restart ($node, $id) {
    $node->storage('deactivate_storage', {});
    $node->wait_until_no('/sys/class/nvme/nvme*');
    $node->guest->must("rm -f /run/ontapnvme/$id.*");
    return;
}

# The node finds that its secret is not the array's and may not change it there; at the next poll it
# does not try again, and says `$pattern`. Returns the error.
sub refuse_change ($j, $node, $pattern) {
    $j->array->ctl('fault-add', method => 'DELETE', path => '/hosts/', status => 403);
    $j->on_failure(sub { $j->array->ctl('fault-clear') });
    $node->check_until_refused(qr/changed secrets of this node/);
    $j->array->ctl('fault-clear');
    my $error = $node->check_until_refused($pattern);
    $error =~ /\n./ and die "more than one line: $error\n";
    return $error;
}

# Allowed again, before its time: the node gives the array its secret.
sub register_anew ($j, $node, $id) {
    $node->guest->must("rm /run/ontapnvme/$id.registration.turn");
    $node->check_until_live($j->lab->portals);
    return;
}

1;
