# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Host;

# The node around the storage: what the plugin does to it when all is well, which is nothing, and
# what the node's own rules do to the disks of guests.

use v5.36;

use Journey::Disks;

use constant {VMID => 900, KIB => 65536, TRACE => '/run/lab/strace', GROUP => 'guest_vg'};

# ---- system calls

# What a call may have written to: what the plugin keeps, sockets, and the pipes and event
# descriptors of the process itself.
my $allowed_file = qr{\A/(?:run|dev)/ontapnvme(?:/|\z)};
my $allowed_fd   = qr{\A(?:socket:|pipe:|anon_inode:|UNIX|TCP|NETLINK|/dev/null)};
my $writes       = qr/\A(?:p?write(?:64|v2?)?|p?writev|sendfile|copy_file_range|ftruncate)\z/;
my $changes      = qr/\A(?:mkdir|rename|unlink|symlink|link|rmdir|chmod|chown|truncate|creat)/;
my $processes    = qr/\A(?:v?fork|clone3?|execveat|execve)\z/;

# One line of strace -f -y: counts it, and dies when it is none that may be.
my sub judge ($line, $count) {
    my ($call, $rest) = $line =~ /\A(?:\[pid\s+\d+\]\s+|\d+\s+)?(\w+)\((.*)/ or return;
    $count->{calls}++;
    if ($call =~ $processes) { die "a process is started: $line\n" }
    if ($call =~ $writes) {
        my ($file) = $rest =~ /\A\d+<([^>]*)>/;
        $count->{writes}++;
        ($file // '') =~ $allowed_file || ($file // '') =~ $allowed_fd or die "written: $line\n";
    } elsif ($call =~ $changes) {
        my @paths = $rest =~ m{"((?:/)[^"]*)"}g;
        $count->{changes}++;
        $_ =~ $allowed_file or die "changed: $line\n" for $call =~ /\Asymlink/ ? $paths[-1] : @paths;
    } elsif ($call =~ /\Aopen/ && $rest =~ /O_(?:WRONLY|RDWR|CREAT|TRUNC)/) {
        my ($path) = $rest =~ /"([^"]*)"/;
        $count->{opened}++;
        $path =~ $allowed_file || $path eq '/dev/null' or die "opened for writing: $line\n";
    } elsif ($call eq 'ioctl' && $rest =~ /NVME_IOCTL|_IOC\([^)]*0x4e/) {
        $count->{admin}++;
    }
    return;
}

# The system calls of the plugin's process while `$code` runs.
my sub traced ($node, $code) {
    my $guest = $node->guest;
    chomp(my $pid = $guest->must('pgrep -of "perl -T .*hook_agent"'));
    $guest->must("rm -f ${\ TRACE}*; strace -f -y -s 256 -p $pid -o ${\ TRACE} 2>${\ TRACE}.err & "
            . "echo \$! >${\ TRACE}.pid");
    $guest->wait_for("grep -q attached ${\ TRACE}.err");
    my $done  = eval { $code->(); 1 };
    my $error = $@;
    $guest->must("kill -INT \$(<${\ TRACE}.pid)");
    $guest->wait_for("! [[ -e /proc/\$(<${\ TRACE}.pid) ]]");
    die $error if !$done;
    my %count = (calls => 0, writes => 0, changes => 0, opened => 0, admin => 0);
    judge($_, \%count) for split(/\n/, $guest->must(['cat', TRACE]));
    $count{calls} or die "strace saw nothing\n";
    return join(', ', map { "$count{$_} $_" } sort(keys(%count)));
}

my sub poll ($j) {
    my $node = $j->node('node1');
    my $poll = sub { $node->check; $node->storage('status', {}); };
    $poll->();
    return traced($node, $poll);
}

my sub activation ($j) {
    my $node    = $j->node('node1');
    my $volname = (Journey::Disks::disks())[0];
    my $once    = sub { $node->storage('activate_volume', $volname, undef, {}) };
    $node->check;
    $once->();
    return traced($node, $once);
}

# ---- the node's rules

my sub property ($node, $device, $name) {
    my $all = $node->guest->must("udevadm settle; udevadm info -q property $device");
    return $all =~ /^\Q$name\E=(.*)$/m ? $1 : '';
}

my sub rules ($j) {
    my $node   = $j->node('node1');
    my $device = $node->device((Journey::Disks::disks())[0])->{path};
    my $name   = $device =~ s{.*/}{}r;
    $j->expect(property($node, $device, 'DM_UDEV_DISABLE_OTHER_RULES_FLAG'), 1, 'the flag');
    $j->expect(property($node, $device, 'SYSTEMD_READY'),                    0, 'SYSTEMD_READY');
    $node->guest->must("[[ -b /dev/disk/by-ontapnvme/$name ]]");
    my ($uuid) = $node->guest->must("cat /sys/block/$name/uuid") =~ /(\S+)/;
    $node->guest->must("[[ -b /dev/disk/by-id/nvme-uuid.$uuid ]]");
    chomp(my $policy = $node->guest->must('cat /sys/class/nvme-subsystem/*/iopolicy'));
    $j->expect($policy, $j->{kernel} eq '12' ? 'round-robin' : 'queue-depth', 'the I/O policy');
    return "hidden from other rules, link by-ontapnvme/$name; I/O policy $policy";
}

# An event as of a device that appears, and whether LVM has activated what is in it.
my sub activated_by_event ($node, $name) {
    my $guest = $node->guest;
    $guest->must('rm -rf /run/lvm/pvs_online /run/lvm/vgs_online; '
            . "udevadm trigger --action=add /sys/class/block/$name; udevadm settle");
    return $guest->run("[[ -e /dev/${\ GROUP}/root ]]")->{code} == 0;
}

my sub lvm ($j) {
    my $node  = $j->node('node1');
    my $guest = $node->guest;
    my $volname;
    $node->task(
        sub {
            $node->check;
            $volname = $node->storage('alloc_image', VMID, 'raw', undef, KIB);
            $node->activate($volname);
        }
    );
    my $device = $node->device($volname)->{path};
    my $name   = $device =~ s{.*/}{}r;
    my $notes  = '/run/ontapnvme/subsystems';
    $guest->must("mkdir -p /run/lvm /run/lock/lvm; pvcreate -qq -ff -y $device && "
            . "vgcreate -qq ${\ GROUP} $device && lvcreate -qq -an -Zn -Wn -L 8M -n root ${\ GROUP}");

    # Without the note it is what happens to any disk: else the rest would prove nothing.
    $guest->must("mv $notes $notes.away");
    my $without = activated_by_event($node, $name);
    $guest->must("vgchange -qq -an ${\ GROUP}; mv $notes.away $notes");
    my $with   = activated_by_event($node, $name);
    my $filter = 'devices { global_filter=["r|/dev/disk/by-ontapnvme/.*|"] }';
    my ($seen, $filtered) = map { $guest->must("vgs --noheadings -o vg_name $_") }
        '', "--config '$filter'";
    $guest->run("vgchange -qq -an ${\ GROUP}");
    $node->task(sub { $node->deactivate($volname); $node->storage('free_image', $volname, 0); });
    $without or die "LVM does not activate even a disk that no rule hides\n";
    $with and die "LVM has activated the guest's volume group\n";
    $seen =~ GROUP     or die "vgs does not see the group without a filter\n";
    $filtered =~ GROUP and die "vgs sees the group in spite of the filter\n";
    return 'not activated, with the filter not even seen; without the rule it is activated';
}

my sub needs ($j, $program, $what, $code) {
    my $has = $j->node('node1')->guest->run("command -v $program")->{code} == 0;
    return $has ? $j->step($what, $code) : $j->skip($what, "this machine has no $program");
}

sub begin ($j) {
    $j->chapter('the node');
    needs($j, 'strace', 'a healthy poll touches nothing but its own', sub { poll($j) });
    needs($j, 'strace', 'so does activating a present disk', sub { activation($j) });
    $j->step("guests' disks are hidden from the node's rules", sub { rules($j) });
    needs($j, 'vgs', "LVM leaves a guest's volume group alone", sub { lvm($j) });
    return;
}

1;
