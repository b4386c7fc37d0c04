# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Scale;

# Many namespaces: what resolving one of them takes beside nvme-cli, which asks each of them. Figures
# for the reader; nothing here is judged by time. Needs a target with ONTAP's log page.

use v5.36;

use constant {COUNT => 64, BYTES => 4 * 1024 * 1024, SEEN_S => 120, TOOL_S => 240};

my sub volume ($number) { return sprintf('scale_%03d', $number) }

my sub admin ($j, $method, $target, $body = undef) {
    my $answer =
        $j->array->ctl('admin', method => $method, target => $target, $body ? (body => $body) : ());
    $answer->{status} < 300 or die "$method $target: $answer->{status}\n";
    return $answer->{body};
}

# Past the plugin, whose names these are not: it neither lists nor counts them.
my sub make ($j) {
    my %svm = (svm => {name => 'svm1'});
    for my $volume (map { volume($_) } 1 .. COUNT) {
        admin($j, 'POST', '/api/storage/volumes',
            {%svm, name => $volume, size => 8 * BYTES, aggregates => [{name => 'aggr1'}]});
        admin(
            $j, 'POST',
            '/api/storage/namespaces',
            {
                %svm,
                name    => "/vol/$volume/disk",
                os_type => 'linux',
                space   => {size => BYTES, block_size => 4096}
            }
        );
        admin($j, 'POST', '/api/protocols/nvme/subsystem-maps',
            {%svm, subsystem => {name => 'pve_subsystem'}, namespace => {name => "/vol/$volume/disk"}});
    }
    return;
}

my sub remove ($j) {
    for my $volume (map { volume($_) } 1 .. COUNT) {
        my ($ns) = $j->array->records(
            "/api/storage/namespaces?location.volume.name=$volume&fields=subsystem_map,location");
        next if !$ns;
        my $subsystem = $ns->{subsystem_map}{subsystem}{uuid};
        admin($j, 'DELETE', "/api/protocols/nvme/subsystem-maps/$subsystem/$ns->{uuid}");
        admin($j, 'DELETE', "/api/storage/volumes/$ns->{location}{volume}{uuid}?force=true");
    }
    return;
}

# Milliseconds in the guest.
my sub milliseconds ($guest, $command) {
    return $guest->must(
        "a=\$(date +%s%N); $command >/run/lab/scale.out; b=\$(date +%s%N); echo \$(((b - a) / 1000000))",
        timeout => TOOL_S) + 0;
}

my sub measure ($j) {
    my $node  = $j->node('node1');
    my $guest = $node->guest;
    my $heads = 'ls -d /sys/class/nvme-subsystem/*/nvme*n* | wc -l';
    my $few   = $guest->must($heads) + 0;
    $j->on_failure(sub { remove($j) });
    make($j);
    my $all = $few + COUNT;
    $guest->wait_for("(( \$($heads) == $all ))", timeout => SEEN_S);
    $guest->must('udevadm settle', timeout => TOOL_S);
    my $ns   = $j->array->namespace(volume(COUNT));
    my $said = $node->resolve($ns);
    $said->{'by-uuid'} =~ m{\A/dev/nvme} or die "by-uuid says '$said->{'by-uuid'}'\n";
    my $list   = milliseconds($guest, 'nvme list');
    my $labels = milliseconds($guest, 'nvme netapp ontapdevices');
    $guest->must("grep -q '\Q$ns->{uuid}\E' /run/lab/scale.out");
    remove($j);
    $guest->wait_for("(( \$($heads) == $few ))", timeout => SEEN_S);
    return "$all namespaces: one by UUID $said->{microseconds} us, nvme list $list ms, "
        . "nvme netapp ontapdevices $labels ms";
}

sub begin ($j) {
    $j->chapter('many namespaces');
    return $j->skip('resolution beside nvme-cli', "the kernel's target has no ONTAP log page")
        if $j->{data_plane} ne 'ontap-sim';
    $j->step('resolution beside nvme-cli', sub { measure($j) });
    return;
}

1;
