#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
# tools/release makes a release of one story only: each thing that can contradict another stops it.
use v5.36;

use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

my $checkout = dirname(__FILE__) . '/../..';
my $clone = tempdir(CLEANUP => 1);

my sub run (@command) {
    my $pid = open(my $output, '-|') // die "fork: $!\n";
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT);
        chdir($clone) or die "chdir: $!\n";
        exec(@command) or die "cannot run $command[0]: $!\n";
    }
    my $text = join('', readline($output));
    close($output);
    return ($text, $? >> 8);
}

my sub git (@arguments) {
    my ($text, $status) = run('git', '-c', 'user.name=test', '-c', 'user.email=test@test.invalid', @arguments);
    $status == 0 or die "git @arguments: $text\n";
    return $text;
}

my sub change ($path, $from, $to) {
    open(my $in, '<', "$clone/$path") or die "$path: $!\n";
    my $text = do { local $/; readline($in) };
    $text =~ s/$from/$to/ or die "nothing like '$from' in $path\n";
    open(my $out, '>', "$clone/$path") or die "$path: $!\n";
    print $out $text;
    close($out) or die "$path: $!\n";
    return;
}

# A commit of the files that count, its release of the given day, tagged.
my sub story ($day) {
    for my $path (qw(CMakeLists.txt CHANGELOG.md debian/changelog tools/release tests/lint/versions tests/lint/Lint.pm)) {
        my $folder = dirname("$clone/$path");
        system('mkdir', '-p', $folder) == 0 && system('cp', "$checkout/$path", $folder) == 0 or die "cannot copy '$path'\n";
    }
    my ($text) = run('date', '-u', '-R', '-d', "$day 08:00");
    chomp($text);
    change('CHANGELOG.md', qr/^## [0-9.]+ \K\(.*?\)$/m, "($day)");
    change('debian/changelog', qr/>  \w{3}, .*/, ">  $text");
    git('init', '--quiet') if !-d "$clone/.git";
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message', 'release');
    return;
}

my sub checked () { return run('tools/release', '--check') }

story('2026-01-02');
my ($version) = (run('dpkg-parsechangelog', '-S', 'Version'))[0] =~ /(\S+)/;

my ($text, $status) = checked();
isnt($status, 0, 'without a tag there is no release');
like($text, qr/no tag 'v\Q$version\E': git tag --sign v\Q$version\E/, 'and it says how to make one');
git('tag', "v$version");
($text, $status) = checked();
is($status, 0, 'one story, one commit, one tag: a release') or diag($text);

for my $case (
    ['CHANGELOG.md', qr/^## \Q$version\E/m, '## 99.0.0', qr/the versions differ/, 'CHANGELOG.md has another version'],
    ['debian/changelog', qr/\(\Q$version\E\)/, '(99.0.0)', qr/the versions differ/, 'debian/changelog has another version'],
    ['CHANGELOG.md', qr/2026-01-02/, '2026-01-03', qr/of 2026-01-02/, 'the change logs have different days'],
    ['debian/changelog', qr/unstable;/, 'UNRELEASED;', qr/not released yet/, 'debian/changelog says it is not released'],
    ['CMakeLists.txt', qr/\z/, "# more\n", qr/not what is committed.*CMakeLists/s, 'something is not committed'],
) {
    my ($path, $from, $to, $says, $what) = $case->@*;
    change($path, $from, $to);
    ($text, $status) = checked();
    isnt($status, 0, "$what: no release");
    like($text, $says, 'with the reason');
    git('checkout', '--quiet', '--', $path);
}

git('commit', '--quiet', '--allow-empty', '--message', 'later');
($text, $status) = checked();
isnt($status, 0, 'the tag is on an earlier commit: no release');
like($text, qr/on another commit/, 'with the reason');
git('tag', '--force', "v$version");
git('tag', 'v99.0.0');
($text, $status) = checked();
isnt($status, 0, 'a later release is there: no release');
like($text, qr/later release already: 99\.0\.0/, 'with the reason');
git('tag', '--delete', 'v99.0.0');

story('2999-01-01');
git('tag', '--force', "v$version");
($text, $status) = checked();
isnt($status, 0, 'a date to come: no release');
like($text, qr/has not come yet/, 'with the reason');

done_testing();
