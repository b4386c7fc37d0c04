# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: a program with a table of verbs, as far as a verb can tell it from the real one: what is
# positional, what is an option, that a flag needs no value, and that what is unknown or missing ends
# with the usage and 255.
package PVE::CLIHandler;

use v5.36;

my sub refuse ($why) {
    print STDERR "ERROR: $why\nUSAGE: ontapnvme <COMMAND> [ARGS] [OPTIONS]\n";
    exit(255);
}

# The arguments as parameters by name.
my sub parsed ($arguments, $positional, $properties) {
    my (%param, @rest);
    while (defined(my $argument = shift($arguments->@*))) {
        my ($name, $value) = $argument =~ /\A--([a-z-]+)(?:=(.*))?\z/;
        if (!defined($name)) {
            push(@rest, $argument);
            next;
        }
        my $property = $properties->{$name} or refuse("Unknown option: $name");
        my $is_flag = ($property->{type} // '') eq 'boolean';
        $value //= $is_flag ? 1 : shift($arguments->@*) // refuse("Option $name requires an argument");
        refuse("$name: value '$value' does not have a value in the enumeration")
            if $property->{enum} && !grep { $_ eq $value } $property->{enum}->@*;
        $param{$name} = $value;
    }
    for my $name ($positional->@*) {
        if ($name eq 'extra-args') {
            $param{$name} = [splice(@rest)];
        } elsif (@rest) {
            $param{$name} = shift(@rest);
        } elsif (!$properties->{$name}{optional}) {
            refuse('not enough arguments');
        }
    }
    refuse('too many arguments') if @rest;
    return \%param;
}

sub run_cli_handler ($class) {
    my $table = do { no strict 'refs'; ${"${class}::cmddef"} };
    my $verb = shift(@ARGV) // refuse('no command specified');
    my $row = $table->{$verb} or refuse("unknown command '$verb'");
    my ($module, $name, $positional, undef, $show, $options) = $row->@*;
    my $info = $module->map_method_by_name($name);
    $class->setup_environment();
    my $param = parsed(\@ARGV, $positional, { $info->{parameters}{properties}->%*, $options->%* });
    my %format = map { exists($param->{$_}) ? ($_ => delete($param->{$_})) : () } keys($options->%*);
    $show->($info->{code}->($param), $info->{returns}, \%format);
    exit(0);
}

1;
