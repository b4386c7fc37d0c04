# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey;

# What the steps of the journey share: the lab, the array, the nodes, the one storage and its
# volumes; steps that are counted and shown; hooks whose requests are counted.

use v5.36;

use Digest::SHA qw(sha256_hex);
use List::Util  qw(max);
use Time::HiRes qw(time);

use Journey::Array;
use Journey::Node;
use Lab;

use constant {
    MIB         => 1024 * 1024,
    PATTERN_MIB => 4,

    # More of it hides the step that failed.
    SHOWN_LINES => 12,
};

# Options: work, root, kernel, data_plane, stage, build, keep_going.
sub new ($class, %options) {
    my $self = bless({%options, passed => 0, failed => 0, skipped => 0, counted => {}}, $class);
    $self->{lab} = Lab->new(%options{qw(work root kernel)});
    $self->{kernel} = $self->{lab}->kernel;
    return $self;
}

sub lab   ($self)        { return $self->{lab} }
sub array ($self)        { return $self->{array}       // die "the simulator does not run\n" }
sub node  ($self, $name) { return $self->{node}{$name} // die "$name is not ready\n" }

# The two arguments that most hooks begin with.
sub storage ($self) {
    return ($self->{storage_id}, $self->{scfg} // die "there is no storage\n");
}

# A portal goes away and comes back, as Lab has it. The kernel's target refuses by configfs, the
# simulator's by a command of its own.
sub cut_path ($self, $portal, %how) {
    my $by_command = $how{how} eq 'clean' && $self->{data_plane} eq 'ontap-sim';
    return $self->lab->cut_path($portal, %how) if !$by_command;
    $self->array->ctl('nvme-portal', address => $portal, mode => 'refuse');
    return;
}

sub restore_path ($self, $portal) {
    $self->array->ctl('nvme-portal', address => $portal, mode => 'serve')
        if $self->{data_plane} eq 'ontap-sim';
    return $self->lab->restore_path($portal);
}

# ---- steps

# Steps from here on belong to it.
sub chapter ($self, $name) {
    push($self->{chapters}->@*, {name => $name, passed => 0, failed => 0, seconds => 0});
    return;
}

sub chapters ($self) { return $self->{chapters}->@* }

# One line per step: what, how long, and the proof that `$code` returns. A step builds on those
# before it, so a failure ends the journey unless told otherwise.
sub step ($self, $what, $code) {
    my $started = time();
    $self->@{qw(heard on_failure)} = ([], []);
    my $proof = eval { $code->() };
    my $error = $@;
    my $sum   = $self->{chapters}[-1];
    $sum->{$error ? 'failed' : 'passed'}++;
    $sum->{seconds} += time() - $started;
    printf(
        "%-6s %5.1f s  %s%s\n",
        $error ? 'FAILED' : 'ok',
        time() - $started,
        $what, !$error && defined($proof) ? ": $proof" : ''
    );
    print "                  heard from $_\n" for $self->{heard}->@*;

    if (!$error) {
        $self->{passed}++;
        return 1;
    }
    $self->{failed}++;
    print $error =~ s/^/    /mgr;
    eval { $_->() } for $self->{on_failure}->@*;
    $self->show_circumstances     if !$self->{is_over};
    die "the journey ends here\n" if !$self->{keep_going};
    return 0;
}

# A step that cannot be made here is told and counted, never left out in silence.
sub skip ($self, $what, $why) {
    $self->{skipped}++;
    print "skip           $what: $why\n";
    return;
}

# What a step that fails has to undo, so that it fails alone.
sub on_failure ($self, $code) {
    push($self->{on_failure}->@*, $code);
    return;
}

sub heard ($self, $node, $text) {
    chomp($text);
    push($self->{heard}->@*, $node->name . ": $text");
    return;
}

# What the reader of a failure would ask for next.
sub show_circumstances ($self) {
    for my $name (qw(array node1 node2)) {
        my $told =
            eval { $self->{lab}->guest($name)->must('dmesg | tail -n ' . SHOWN_LINES) } // next;
        print "    the kernel of $name:\n", $told =~ s/^/      /mgr;
    }
    my @log = eval { $self->array->log } or return;
    print "    the array's last requests:\n";
    splice(@log, 0, max(0, @log - SHOWN_LINES));
    printf("      %s %s -> %s\n", $_->@{qw(method target status)}) for @log;
    return;
}

sub expect ($self, $got, $wanted, $what) {
    ($got // 'nothing') eq $wanted or die "$what: '" . ($got // 'nothing') . "', not '$wanted'\n";
    return;
}

# `$code` must die, and say so.
sub refused ($self, $code, $pattern) {
    eval { $code->(); 1 } and die "it was not refused\n";
    my $error = $@;
    $error =~ $pattern or die "refused, but with other words: $error";
    chomp($error);
    return $error;
}

# ---- requests

# Adds the requests that `$code` causes to the operation; of several runs the most expensive counts.
sub counted ($self, $operation, $code) {
    my $before = $self->array->count;
    my $result = $code->();
    my $after  = $self->array->count;
    my $known  = $self->{counted}{$operation};
    $self->{counted}{$operation} = [$before, $after]
        if !$known || $after - $before > $known->[1] - $known->[0];
    return $result;
}

# "GET volumes", without numbers that change from run to run.
my sub short ($request) {
    my $path = $request->{target} =~ s/\?.*//r;
    my @parts =
        grep { !/\A(?:api|storage|protocols|nvme|application|cluster|network|ip)\z/ && !/-.*-.*-/ }
        grep { length } split(m{/}, $path);
    return "$request->{method} " . join('/', @parts ? @parts : 'cluster');
}

# What an operation cost, and what it asked.
sub cost ($self, $operation) {
    my $span = $self->{counted}{$operation} // return;
    my ($from, $to) = $span->@*;
    my @log = $self->array->log;
    return ($to - $from, map { short($_) } @log[$from .. $to - 1]);
}

sub requests_since ($self, $from) {
    my @log = $self->array->log;
    return @log[$from .. $#log];
}

# ---- patterns

# The bytes of a pattern, one of which is in /run/lab of every node: different in every sector.
my %seed = (first => 1, second => 500_000_001, third => 1_000_000_001);

sub pattern_file ($self, $name) {
    exists($seed{$name}) or die "there is no pattern '$name'\n";
    return "/run/lab/pattern-$name";
}

my sub bytes_of ($name) {
    return pack('N*', $seed{$name} .. $seed{$name} + PATTERN_MIB * MIB / 4 - 1);
}

sub pattern_digest ($self, $name) {
    return $self->{pattern_digest}{$name} //= sha256_hex(bytes_of($name));
}

# Made there: sending them takes longer.
sub spread_patterns ($self) {
    my $words = PATTERN_MIB * MIB / 4;
    my $program =
          'for (@ARGV) { my ($name, $from) = split(/=/); open(my $file, ">", $name) or die; '
        . "print {\$file} pack('N*', \$from .. \$from + $words - 1) }";
    my @files = map { $self->pattern_file($_) . "=$seed{$_}" } keys(%seed);
    my @makers =
        map { $_->guest->spawn(['perl', '-e', $program, @files]) } values($self->{node}->%*);
    $self->expect($_->wait->{code}, 0, 'the exit code of what makes the patterns') for @makers;
    return;
}

# The node reads that pattern at the beginning (or `at` MiB) of each volume.
sub expect_pattern ($self, $node, $name, $volnames, %place) {
    for my $volname ($volnames->@*) {
        $self->expect(
            $node->digest($volname, PATTERN_MIB, %place),
            $self->pattern_digest($name),
            "SHA-256 of $volname on " . $node->name
        );
    }
    return 'SHA-256 ' . substr($self->pattern_digest($name), 0, 12) . '...';
}

1;
