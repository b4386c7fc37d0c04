# SPDX-License-Identifier: AGPL-3.0-or-later
# Curves as plain SVG: both axes logarithmic or linear, a line for each operation, named in a legend.
package Bench::Plot;

use v5.36;

use Exporter qw(import);
use List::Util qw(max min);

use Bench::Conditions qw(DIMENSIONS base);
use Bench::Operations qw(operations);

our @EXPORT_OK = qw(plots);

use constant {
    WIDTH => 820,
    HEIGHT => 460,
    LEFT => 70,
    TOP => 40,
    PLOT_WIDTH => 480,
    PLOT_HEIGHT => 350,
};
# Told apart also without colours: by their dashes.
my @colours = ('#1b6ca8', '#c0392b', '#1e8449', '#7d3c98', '#b9770e', '#17202a', '#0e6655');
my @dashes = ('', '6 3', '2 3');

my sub escaped ($text) { return $text =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/>/&gt;/gr }

my sub text ($x, $y, $anchor, $text) {
    return sprintf(qq{<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>\n}, $x, $y, $anchor, escaped($text));
}

my sub line ($x1, $y1, $x2, $y2) {
    return sprintf(qq{<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#d5d8dc"/>\n}, $x1, $y1, $x2, $y2);
}

my sub log10 ($value) { return log($value) / log(10) }

# To 1, 2 or 5 with zeros, so that marks are numbers that people use.
my sub round_up ($value) {
    my $power = 10 ** POSIX::floor(log10($value));
    my ($factor) = grep { $_ * $power >= $value } 1, 2, 5, 10;
    return $factor * $power;
}

# From a value to its share of the axis, and the values to be marked.
my sub axis ($is_log, @values) {
    if ($is_log) {
        my ($low, $high) = (POSIX::floor(log10(min(@values))), POSIX::ceil(log10(max(@values))));
        $high = $low + 1 if $high <= $low;
        return (sub ($value) { (log10($value) - $low) / ($high - $low) }, map { 10 ** $_ } $low .. $high);
    }
    my $high = round_up(max(@values) || 1);
    return (sub ($value) { $value / $high }, map { $high * $_ / 5 } 0 .. 5);
}

# `curves`: [name, [x, y]…].
my sub drawing ($what, @curves) {
    require POSIX;
    my ($x_of, @x_marks) = axis($what->{is_log_x}, map { map { $_->[0] } $_->@[1 .. $_->$#*] } @curves);
    my ($y_of, @y_marks) = axis($what->{is_log_y}, map { map { $_->[1] } $_->@[1 .. $_->$#*] } @curves);
    my $x = sub ($value) { LEFT + PLOT_WIDTH * $x_of->($value) };
    my $y = sub ($value) { TOP + PLOT_HEIGHT * (1 - $y_of->($value)) };
    my $bottom = TOP + PLOT_HEIGHT;
    my $svg = sprintf(qq{<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif"}
        . qq{ font-size="12">\n<title>%s</title>\n<rect width="100%%" height="100%%" fill="#ffffff"/>\n},
        WIDTH, HEIGHT, escaped($what->{title}));
    $svg .= text(LEFT, TOP - 16, 'start', $what->{title});
    $svg .= line($x->($_), TOP, $x->($_), $bottom) . text($x->($_), $bottom + 18, 'middle', sprintf('%g', $_))
        for @x_marks;
    $svg .= line(LEFT, $y->($_), LEFT + PLOT_WIDTH, $y->($_)) . text(LEFT - 8, $y->($_) + 4, 'end', sprintf('%g', $_))
        for @y_marks;
    $svg .= text(LEFT + PLOT_WIDTH / 2, $bottom + 38, 'middle', $what->{x});
    my $number = 0;
    for my $curve (@curves) {
        my ($name, @points) = $curve->@*;
        my $style = sprintf('fill="none" stroke="%s" stroke-width="1.6" stroke-dasharray="%s"',
            $colours[$number % @colours], $dashes[int($number / @colours) % @dashes]);
        my $at = join(' ', map { sprintf('%.1f,%.1f', $x->($_->[0]), $y->($_->[1])) } @points);
        my $legend_y = TOP + 8 + 20 * $number++;
        my $legend_x = LEFT + PLOT_WIDTH + 16;
        $svg .= qq{<polyline points="$at" $style/>\n};
        $svg .= sprintf(qq{<polyline points="%d,%d %d,%d" $style/>\n}, $legend_x, $legend_y, $legend_x + 26, $legend_y);
        $svg .= text($legend_x + 32, $legend_y + 4, 'start', $name);
    }
    return "$svg</svg>\n";
}

# What the simulator takes to look through many disks is not the plugin's, and what it takes as latency is.
my %value = (
    disks => sub ($cell) { max(1, $cell->{microseconds}{median} - $cell->{array_microseconds}) },
    latency_ms => sub ($cell) { $cell->{microseconds}{median} },
);

my sub curves ($found, $dimension) {
    my $value = $value{$dimension};
    my $base = base($found->{dimensions});
    my @curves;
    for my $operation (operations()) {
        my @cells = sort { $a->{conditions}{$dimension} <=> $b->{conditions}{$dimension} } grep {
            my $cell = $_;
            $cell->{plugin} eq 'this' && $cell->{process} eq 'warm' && $cell->{operation} eq $operation->{name}
                && !grep { $_ ne $dimension && $cell->{conditions}{$_} ne $base->{$_} } DIMENSIONS
        } $found->{cells}->@*;
        push(@curves, [$operation->{name}, map { [$_->{conditions}{$dimension}, $value->($_) / 1000] } @cells])
            if @cells > 1;
    }
    return @curves;
}

# File name => SVG, of what was measured at more than one point.
sub plots ($found) {
    my %what = (
        'cost-over-disks.svg' => { dimension => 'disks', is_log_x => 1, is_log_y => 1, x => 'disks of the storage',
            title => 'Milliseconds of an operation, by the number of disks (warm process, without the simulator)' },
        'cost-over-latency.svg' => { dimension => 'latency_ms', x => 'milliseconds of a request',
            title => 'Milliseconds of an operation, by the latency of the array (warm process)' },
    );
    my %plots;
    for my $name (sort(keys(%what))) {
        my @curves = curves($found, $what{$name}{dimension});
        $plots{$name} = drawing($what{$name}, @curves) if @curves;
    }
    return %plots;
}

1;
