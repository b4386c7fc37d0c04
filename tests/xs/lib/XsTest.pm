# SPDX-License-Identifier: AGPL-3.0-or-later
package XsTest;

use v5.36;

use Exporter qw(import);
use Scalar::Util qw(blessed);
use Test::More;

use PVE::Storage::OntapNvmeTcp::Native;

our @EXPORT_OK = qw(NATIVE client error_of in_child);

use constant NATIVE => 'PVE::Storage::OntapNvmeTcp::Native';

# A client of the library in fake_storage.cc.
sub client (%settings) {
    return NATIVE->new('store', \%settings, {}, {});
}

# What `$code` dies with, which must be an error object.
sub error_of ($code, $name = 'it dies with an error object') {
    my $done = eval { $code->(); 1 };
    my $error = $@;
    ok(!$done && blessed($error) && $error->isa('PVE::Storage::OntapNvmeTcp::Error'), $name)
        or diag($done ? 'it did not die' : "it died with: $error");
    return $error;
}

# Runs `$code` in a forked child that leaves by exit, so that everything is destroyed; returns what
# it returned.
sub in_child ($code) {
    pipe(my $reader, my $writer) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        close($reader);
        # The test's own plan is the parent's.
        Test::More->builder->no_ending(1);
        my $answer = eval { $code->() } // "died: $@";
        print {$writer} $answer;
        close($writer);
        exit(0);
    }
    close($writer);
    local $/;
    my $answer = readline($reader);
    waitpid($pid, 0);
    return $answer;
}

1;
