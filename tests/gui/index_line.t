#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# gui/index-line on templates of our own: what it adds it takes away byte for byte, and what it does not
# know it leaves alone.
use v5.36;

use FindBin qw($Bin);
use File::Temp qw(tempdir);
use Test::More;

my $program = "$Bin/../../gui/index-line";
my $folder = tempdir(CLEANUP => 1);
my ($template, $panel) = ("$folder/index.html.tpl", "$folder/panel.js");
my $anchor = '    <script type="text/javascript" src="/pve2/js/pvemanagerlib.js?ver=[% version %]"></script>';
my $line_re = qr{<script type="text/javascript" src="/pve2/js/pve-storage-ontapnvme\.js\?ver=[0-9a-f]{12}"></script>};

my sub write_to ($path, $content) {
    open(my $file, '>:raw', $path) or die "$path: $!\n";
    print {$file} $content;
    close($file) or die "$path: $!\n";
    return;
}

my sub content_of ($path) {
    open(my $file, '<:raw', $path) or die "$path: $!\n";
    local $/;
    return scalar(readline($file));
}

# The exit status, and what was said.
my sub run (@arguments) {
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT);
        exec($^X, $program, @arguments, '--template', $template, '--panel', $panel) or die "exec: $!\n";
    }
    my $said = do { local $/; <$out> };
    close($out);
    return ($? >> 8, $said // '');
}

my %templates = (
    'as it is usual'       => "<html>\n<head>\n$anchor\n    <script>go()</script>\n</head>\n</html>\n",
    'with a tab'           => "<head>\n\t<script src=\"/pve2/js/pvemanagerlib.js\"></script>\n</head>\n",
    'without indentation'  => "<script async src=\"/pve2/js/pvemanagerlib.js?v=1\"></script>\n",
    'with DOS line ends'   => "<head>\r\n$anchor\r\n</head>\r\n",
    'without the last end' => "<head>\n$anchor\n</head>",
    'with any bytes'       => "<head>\xff\xfe\x00\n$anchor  \n\xc3\xa4\n",
    'with it in a remark'  => "<!-- <script src=\"/pve2/js/pvemanagerlib.js\"></script> -->\n$anchor\n",
);
for my $kind (sort(keys(%templates))) {
    subtest "a template $kind" => sub {
        my $original = $templates{$kind};
        write_to($template, $original);
        write_to($panel, 'first');
        chmod(0640, $template);

        is_deeply([run('add')], [0, ''], 'the line is put in');
        my $first = content_of($template);
        like($first, qr{pvemanagerlib\.js[^\n]*\n[ \t]*$line_re\r?\n}, 'behind the line that loads the interface');
        is((stat($template))[2] & oct('7777'), oct('0640'), 'the mode stays');

        is_deeply([run('add')], [0, ''], 'once more');
        is(content_of($template), $first, 'changes nothing');

        write_to($panel, 'second');
        is_deeply([run('add')], [0, ''], 'another panel');
        my $second = content_of($template);
        isnt($second, $first, 'has another address, so that no browser keeps the old one');
        is(scalar(() = $second =~ /$line_re/g), 1, 'in one line still');

        is_deeply([run('remove')], [0, ''], 'it is taken away');
        is(content_of($template), $original, 'byte for byte');
        my $inode = (stat($template))[1];
        is_deeply([run('remove')], [0, ''], 'once more');
        is((stat($template))[1], $inode, 'does not even touch it');
    };
}

my %unknown = (
    'that loads nothing we know'     => "<head>\n    <script src=\"/app.js\"></script>\n</head>\n",
    'that loads the interface twice' => "$anchor\n$anchor\n",
    'that ends with that line'       => "<head>\n$anchor",
    'that is empty'                  => '',
);
for my $kind (sort(keys(%unknown))) {
    subtest "a template $kind is left alone" => sub {
        write_to($template, $unknown{$kind});
        my ($status, $said) = run('add');
        is($status, 0, 'that is no failure of the package');
        my $left_re = qr{'\Q$template\E' is left as it is, without the panel: .+ \d times, not once};
        like($said, qr{\Apve-storage-ontapnvme-gui: $left_re\n\z}, 'one line says so');
        is(content_of($template), $unknown{$kind}, 'nothing has changed');
        is_deeply([run('remove')], [0, ''], 'and nothing is taken away');
        is(content_of($template), $unknown{$kind}, 'nothing has changed');
    };
}

subtest 'a line of ours stays where somebody else has put a second anchor' => sub {
    write_to($template, "$anchor\n");
    run('add');
    my $changed = content_of($template) . "$anchor\n";
    write_to($template, $changed);
    my ($status, $said) = run('add');
    like($said, qr{2 times, not once}, 'it is said');
    is(content_of($template), $changed, 'and left alone');
    is_deeply([run('remove')], [0, ''], 'with the package it goes');
    is(content_of($template), "$anchor\n$anchor\n", 'and nothing else');
};

subtest 'no template, or none that is a file' => sub {
    unlink($template);
    like((run('add'))[1], qr{there is no such file\n\z}, 'none');
    is_deeply([run('remove')], [0, ''], 'and none to clean');
    ok(!-e $template, 'none is made');
    write_to("$folder/elsewhere", "$anchor\n");
    symlink("$folder/elsewhere", $template) or die "symlink: $!\n";
    like((run('add'))[1], qr{it is no plain file\n\z}, 'a link');
    is(content_of("$folder/elsewhere"), "$anchor\n", 'is not followed');
    unlink($template);
};

subtest 'without the panel nothing is put in' => sub {
    write_to($template, "$anchor\n");
    unlink($panel);
    isnt((run('add'))[0], 0, 'it fails');
    is(content_of($template), "$anchor\n", 'and has changed nothing');
    is_deeply([sort(map { s{.*/}{}r } glob("$folder/*"))], [qw(elsewhere index.html.tpl)], 'and left nothing');
};

subtest 'a wrong call' => sub {
    for my $call ([], ['put'], [qw(add more)]) {
        my ($status, $said) = run($call->@*);
        isnt($status, 0, "'@$call' is refused");
        like($said, qr{\Ausage: index-line add \| remove}, 'with the right one');
    }
};

done_testing();
