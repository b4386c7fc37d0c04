# SPDX-License-Identifier: AGPL-3.0-or-later
# From measurements to figures: medians with what half of the runs lie between, ratios of two plugins,
# and what a trace of system calls holds.
package Bench::Figures;

use v5.36;

use Exporter qw(import);

our @EXPORT_OK = qw(figures ratios traced);

# The value below which that share of the runs lies, or the next one.
my sub quantile ($share, @values) {
    my @sorted = sort { $a <=> $b } @values;
    return $sorted[int($share * $#sorted + 0.5)];
}

my sub spread (@values) {
    return {
        median => quantile(0.5, @values),
        low => quantile(0.25, @values),
        high => quantile(0.75, @values),
        least => quantile(0, @values),
        most => quantile(1, @values),
    };
}

# Of the reports of all runs of one operation: times with their spread, counts by their median.
sub figures (@reports) {
    my %by_name;
    for my $report (@reports) {
        push($by_name{$_}->@*, $report->{measures}{$_}) for keys($report->{measures}->%*);
    }
    my $times = { map { $_ => spread($by_name{$_}->@*) } qw(microseconds lock_microseconds) };
    my $counts = { map { $_ => quantile(0.5, $by_name{$_}->@*) } keys(%by_name) };
    my ($error) = map { $_->{error} // () } @reports;
    return {
        runs => scalar(@reports),
        $counts->%*,
        $times->%*,
        defined($error) ? (error => $error) : (),
    };
}

my sub ratio ($other, $this) {
    return $this ? sprintf('%.2f', $other / $this) : $other ? 'more than none' : '1.00';
}

# What the other plugin takes for one of this one's, cell by cell.
sub ratios (@cells) {
    my $key = sub ($cell) { join("\0", $cell->@{qw(operation process)}, map { "$_=$cell->{conditions}{$_}" }
        sort(keys($cell->{conditions}->%*))) };
    my %this = map { $_->{plugin} eq 'this' ? ($key->($_) => $_) : () } @cells;
    my @ratios;
    for my $other (grep { $_->{plugin} eq 'other' } @cells) {
        my $this = $this{ $key->($other) } // next;
        push(@ratios, {
            operation => $other->{operation},
            process => $other->{process},
            conditions => $other->{conditions},
            (map { $_ => ratio($other->{$_}, $this->{$_}) } qw(requests tls_sessions bytes_sent)),
            time => ratio(map { $_->{microseconds}{median} } $other, $this),
            $other->{error} // $this->{error} ? (error => $other->{error} // $this->{error}) : (),
        });
    }
    return @ratios;
}

# {operation => {forks, execs, syscalls}}: of strace's record, what stands between the marks. The last run
# of an operation counts; those before it warm it up.
sub traced ($path) {
    open(my $file, '<', $path) or return {};
    my (%counts, $of);
    while (my $line = readline($file)) {
        my ($call, $arguments) = $line =~ /^(?:[0-9]+ +)?(\w+)\((.*)/ or next;
        if ($arguments =~ m{"/ontapnvme-bench/(begin|end)/([a-z-]+)"}) {
            $of = $1 eq 'begin' ? ($counts{$2} = { forks => 0, execs => 0, syscalls => 0 }) : undef;
            next;
        }
        next if !$of;
        $of->{syscalls}++;
        $of->{forks}++ if $call =~ /\A(?:v?fork|clone3?)\z/ && $arguments !~ /CLONE_THREAD/;
        $of->{execs}++ if $call eq 'execve';
    }
    return \%counts;
}

1;
