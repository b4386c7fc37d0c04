# SPDX-License-Identifier: AGPL-3.0-or-later
# What a run of tools/bench found, as tables: in Markdown for the document, which read as well on a
# terminal.
package Bench::Tables;

use v5.36;

use Exporter qw(import);
use List::Util qw(max uniq);

use Bench::Conditions qw(DIMENSIONS base);
use Bench::Operations qw(operation operations);

our @EXPORT_OK = qw(sections);

my %unit = (latency_ms => 'ms', handshake_ms => 'ms', job_ms => 'ms', disks => '', vm_disks => '', silence => '');

# [heading…], rows.
my sub table ($headings, @rows) {
    return '' if !@rows;
    my @width = map { my $column = $_; max(3, map { length($_->[$column]) } $headings, @rows) } 0 .. $headings->$#*;
    # Text to the left, figures to the right.
    my @is_text = map { $_ == 0 || $headings->[$_] =~ /separates|error|where/ ? 1 : 0 } 0 .. $headings->$#*;
    my $line = sub ($cells) {
        return '| ' . join(' | ', map {
            sprintf($is_text[$_] ? '%-*s' : '%*s', $width[$_], $cells->[$_])
        } 0 .. $#width) . " |\n";
    };
    my $rule = '|' . join('|', map {
        $is_text[$_] ? '-' x ($width[$_] + 2) : '-' x ($width[$_] + 1) . ':'
    } 0 .. $#width) . "|\n";
    return $line->($headings) . $rule . join('', map { $line->($_) } @rows);
}

my sub milliseconds ($spread) {
    return sprintf('%.1f (%.1f-%.1f)', map { $spread->{$_} / 1000 } qw(median low high));
}

my sub kib ($bytes) { return sprintf('%.1f', $bytes / 1024) }

my sub is_under ($cell, $conditions) {
    return !grep { $cell->{conditions}{$_} ne $conditions->{$_} } DIMENSIONS;
}

my sub cell_of ($found, $operation, $process, $conditions) {
    my ($cell) = grep {
        $_->{plugin} eq 'this' && $_->{operation} eq $operation && $_->{process} eq $process
            && is_under($_, $conditions)
    } $found->{cells}->@*;
    return $cell;
}

my sub processes ($found) { return uniq(map { $_->{process} } $found->{cells}->@*) }

# Counts, which are the same on every machine, beside what the API's shape allows.
my sub counts ($found, $process) {
    my @rows;
    for my $operation (operations()) {
        my $cell = cell_of($found, $operation->{name}, $process, base($found->{dimensions})) // next;
        push(@rows, [
            $operation->{title}, $cell->{requests}, $operation->{limit}, $cell->{tls_sessions},
            kib($cell->{bytes_received}), kib($cell->{bytes_sent}), $cell->{lock_requests},
            (map { $cell->{$_} // 'not counted' } qw(forks syscalls)), $operation->{between},
        ]);
    }
    return table(['operation', 'requests', 'limit', 'TLS sessions', 'KiB to the array', 'KiB from it',
        'requests under the lock', 'forks', 'system calls', 'what separates requests and limit'], @rows);
}

# One line an operation, one column for each value of that dimension.
my sub over ($found, $dimension, $process, $shown, $unit = $unit{$dimension}) {
    my @values = $found->{dimensions}{$dimension}->@*;
    return '' if @values < 2;
    my $base = base($found->{dimensions});
    my @rows;
    for my $operation (operations()) {
        my @cells = map {
            cell_of($found, $operation->{name}, $process, { $base->%*, $dimension => $_ })
        } @values;
        # What does not depend on it was run at the base alone.
        next if !grep { $_ } @cells[1 .. $#cells];
        push(@rows, [$operation->{title}, map { $_ ? $shown->($_) : '' } @cells]);
    }
    return table(['operation', map { $unit ? "$_ $unit" : $_ } @values], @rows);
}

# Without what the simulator takes, which looks through all it has for every question.
my sub own_time ($cell) {
    return sprintf('%.1f', max(0, $cell->{microseconds}{median} - $cell->{array_microseconds}) / 1000);
}

my sub times ($cell) { return milliseconds($cell->{microseconds}) }

my sub lock_times ($found) {
    my @rows;
    my $base = base($found->{dimensions});
    for my $operation (operations()) {
        my @cells = map { cell_of($found, $operation->{name}, 'warm', { $base->%*, latency_ms => $_ }) }
            $found->{dimensions}{latency_ms}->@*;
        next if grep { !$_ || !$_->{lock_microseconds}{median} } @cells;
        push(@rows, [$operation->{title}, map { milliseconds($_->{lock_microseconds}) } @cells]);
    }
    return table(['operation', map { "$_ ms" } $found->{dimensions}{latency_ms}->@*], @rows);
}

my sub lists ($found) {
    my $base = base($found->{dimensions});
    my @rows;
    for my $process (processes($found)) {
        for my $disks ($found->{dimensions}{disks}->@*) {
            my $cell = cell_of($found, 'list', $process, { $base->%*, disks => $disks }) // next;
            push(@rows, ["$disks, $process", times($cell), own_time($cell), $cell->{requests},
                kib($cell->{bytes_sent}), $cell->{memory_kib}]);
        }
    }
    return table(['disks, process', 'ms', 'without the simulator', 'requests', 'KiB from the array',
        'KiB more memory at the peak'], @rows);
}

my sub ratios ($found) {
    my @rows = map {
        my $ratio = $_;
        my %away = $ratio->{conditions}->%*;
        my $base = base($found->{dimensions});
        my $where = join(', ', $ratio->{process}, map { "$_ $away{$_}" } grep { $away{$_} ne $base->{$_} }
            DIMENSIONS);
        [operation($ratio->{operation})->{title}, $where, $ratio->@{qw(requests tls_sessions bytes_sent time)},
            $ratio->{error} // ''];
    } ($found->{ratios} // [])->@*;
    return table(['operation', 'where', 'requests', 'TLS sessions', 'bytes from the array', 'time', 'error'], @rows);
}

my sub failures ($found) {
    my @rows = map {
        [operation($_->{operation})->{title}, "$_->{plugin}, $_->{process}", $_->{error} =~ tr/|/ /r]
    } grep { $_->{error} && $_->{conditions}{silence} eq 'none' } $found->{cells}->@*;
    return table(['operation', 'plugin, process', 'error'], @rows);
}

my sub native ($found) {
    return table(['path', 'microseconds of the processor (median)', 'runs'],
        map { [$_->{name}, sprintf('%.1f', $_->{nanoseconds} / 1000), $_->{repetitions}] }
        ($found->{native} // [])->@*);
}

# Name => text, in the order of the document; empty where nothing was measured.
sub sections ($found) {
    my @sections = (
        made => sprintf("Made on %s by `%s`: %s; %d runs after %d to warm up.\n",
            $found->{made}->@{qw(date command machine runs warm_up)}),
        'counts-warm' => counts($found, 'warm'),
        'counts-cold' => counts($found, 'cold'),
        latency => over($found, 'latency_ms', 'warm', \&times),
        lock => lock_times($found),
        handshake => over($found, 'handshake_ms', 'cold', \&times),
        'handshake-warm' => over($found, 'handshake_ms', 'warm', \&times),
        jobs => over($found, 'job_ms', 'warm', \&times),
        'vm-disks' => over($found, 'vm_disks', 'warm', sub ($cell) { $cell->{requests} }, 'disks'),
        disks => over($found, 'disks', 'warm', \&own_time, 'disks'),
        lists => lists($found),
        'silence-warm' => over($found, 'silence', 'warm', \&times),
        'silence-cold' => over($found, 'silence', 'cold', \&times),
        native => native($found),
        ratios => ratios($found) || "No other plugin was measured.\n",
        failures => failures($found) || "Nothing.\n",
    );
    return @sections;
}

1;
