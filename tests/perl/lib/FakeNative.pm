# SPDX-License-Identifier: AGPL-3.0-or-later
# In place of the native module, for tests of the Perl code alone: keeps what it was called with,
# answers what it was told to, and holds the rule that nothing tainted comes this far.
package FakeNative;

use v5.36;

use Exporter qw(import);

use HookTest qw(is_clean);
use PVE::Storage::OntapNvmeTcp::Error;
use PVE::Storage::OntapNvmeTcp::Version;

our @EXPORT_OK = qw(calls_of answer native_error last_client made);

my @calls;
my %answers;
my @clients;

# What each method does from now on: a value, or code that gets the arguments.
sub answer (%more) {
    %answers = (%answers, %more);
    return;
}

# The lock of the storage stands among the calls.
$HookTest::on_lock = sub ($what, @more) { push(@calls, [$what, @more]) };

# The calls that `$code` leads to, each as [method, argument, …]; taking the log is left out.
sub calls_of ($code) {
    @calls = ();
    $code->();
    return [@calls];
}

# The same without what every call begins with.
sub made ($code) {
    return [grep { $_->[0] ne 'new' } calls_of($code)->@*];
}

sub native_error ($code, $sentence) {
    return sub { die PVE::Storage::OntapNvmeTcp::Error->new($code, $sentence) };
}

# What the youngest client was made of: { storeid, settings, secrets, surroundings }.
sub last_client { return $clients[-1] }

package PVE::Storage::OntapNvmeTcp::Native {
    our $VERSION = $PVE::Storage::OntapNvmeTcp::Version::VERSION;
    our @log;

    my sub record ($method, @arguments) {
        die "a tainted argument reached the native module: $method\n"
            if !HookTest::is_clean(\@arguments);
        push(@calls, [$method, @arguments]);
        my $answer = $answers{$method};
        return ref($answer) eq 'CODE' ? $answer->(@arguments) : $answer;
    }

    sub new ($class, $storeid, $settings, $secrets, $surroundings) {
        record('new', $storeid, $settings, $secrets, $surroundings);
        push(@clients, {
            storeid => $storeid,
            settings => {%$settings},
            secrets => {%$secrets},
            surroundings => {%$surroundings},
        });
        return bless({}, $class);
    }

    sub check_settings ($class, $storeid, $settings) {
        return record('check_settings', $storeid, $settings);
    }

    sub take_log ($self) {
        my @taken = @log;
        @log = ();
        return \@taken;
    }

    for my $method (qw(
        verify check_connection activate capacity require_empty forget list info allocate free
        activate_volume deactivate_volume resize prepare_snapshot create_snapshot delete_snapshot rollback_blockers
        rollback list_snapshots list_vm_snapshots adopt_snapshot identity pending examine explain require_same_disks
        apply_changes create_base clone clone_vm list_deleted undelete
        examine_for_adoption adopt remove_abandoned probes run_probe copy_progress start_move where_is
        hand_over moved_volumes take_over rename set_notes
        set_protected export read_import_size import_volume activate_snapshot
        deactivate_snapshot
    )) {
        no strict 'refs';
        *{$method} = sub ($self, @arguments) { record($method, @arguments) };
    }
}

# As if it had been loaded from its file.
$INC{'PVE/Storage/OntapNvmeTcp/Native.pm'} = __FILE__;

1;
