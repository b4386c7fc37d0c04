// SPDX-License-Identifier: AGPL-3.0-or-later
// panel.js PANEL.js NODE-MODULES: the panel in headless Chromium, on ExtJS with the stand-ins beside this
// file. Prints TAP. Run by tests/gui/browser.t.
const assert = require('assert');
const path = require('path');

const [panelFile, modules] = process.argv.slice(2);
const { chromium } = require(path.join(modules, 'playwright-core'));
const ext = path.join(modules, 'extjs-gpl/build/ext-all.js');

const REQUIRED = {
    mgmt_ip: '192.0.2.1', username: 'pve', vserver: 'svm1', subsystem: 'pve_cluster', aggregate: 'aggr1',
};
const HOSTILE = '<img src=x onerror="window.hacked=1">';

let count = 0;
let failed = 0;
async function test(what, run) {
    count += 1;
    try {
        await run();
        console.log(`ok ${count} - ${what}`);
    } catch (error) {
        failed += 1;
        console.log(`not ok ${count} - ${what}\n${String(error.stack).replace(/^/gm, '#   ')}`);
    }
}

// A page with the panel; `before` runs in it before the panel is loaded.
async function open(browser, before) {
    const page = await browser.newPage();
    const said = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push('PAGE ERROR ' + error.message));
    await page.addScriptTag({ path: ext });
    await page.addScriptTag({ path: path.join(__dirname, 'stand-ins.js') });
    if (before) {
        await page.evaluate(before);
    }
    await page.addScriptTag({ path: panelFile });
    await page.evaluate(() => {
        window.openWindow = (id) => {
            window.win = Ext.create('PVE.dc.StorageView').createStorageEditWindow('ontapnvme', id);
        };
        window.fieldNamed = (name) => window.win.down('[isFormField][name=' + name + ']');
        window.values = (names) => names.map((name) => fieldNamed(name).getValue());
        window.fill = (values) => Object.entries(values).forEach(([name, value]) => fieldNamed(name).setValue(value));
        window.submitted = () => {
            window.sent.length = 0;
            window.win.submit();
            return window.sent[0];
        };
        window.isValid = () => window.win.down('form').getForm().isValid();
    });
    return { page, said };
}

const isRegistered = () => PVE.Utils.storageSchema.ontapnvme !== undefined;

async function adding(browser) {
    const { page, said } = await open(browser);
    await test('the type is in the Add menu', async () => {
        assert.deepStrictEqual(said, []);
        assert.ok(await page.evaluate(isRegistered));
    });
    await page.evaluate(() => openWindow());
    await test('a form without the required settings is not valid, and is with them', async () => {
        assert.strictEqual(await page.evaluate(() => isValid()), false);
        await page.evaluate((values) => fill(values), { storage: 'netapp', password: 'secret-1', ...REQUIRED });
        assert.strictEqual(await page.evaluate(() => isValid()), true);
    });
    await test('what is the default anyway is not sent', async () => {
        assert.deepStrictEqual(await page.evaluate(() => submitted()), {
            storage: 'netapp', type: 'ontapnvme', password: 'secret-1', content: ['images', 'rootdir'], ...REQUIRED,
        });
    });
    await test('what is filled in is sent, from every tab', async () => {
        await page.evaluate((values) => fill(values), {
            verify_ssl: false, svm_capacity: 500, encryption: '0', space_reserve: 'volume', nvme_tls: true,
            nvme_tls_psk: 'key-1', storage_prefix: '  pve_  ',
        });
        const sent = await page.evaluate(() => submitted());
        assert.strictEqual(sent.verify_ssl, '0');
        assert.strictEqual(sent.svm_capacity, '500');
        assert.strictEqual(sent.encryption, '0');
        assert.strictEqual(sent.space_reserve, 'volume');
        assert.strictEqual(sent.nvme_tls, '1');
        assert.strictEqual(sent.nvme_tls_psk, 'key-1');
        assert.ok(!('delete' in sent));
    });
    await test('wrong input is refused before anything is sent', async () => {
        const inputs = { snapshot_reserve: [91, 90], svm_capacity: [0, 1], mgmt_ip: ['', '192.0.2.1'] };
        for (const [name, [wrong, right]] of Object.entries(inputs)) {
            await page.evaluate((values) => fill(values), { [name]: wrong });
            assert.strictEqual(await page.evaluate(() => isValid()), false, name);
            await page.evaluate((values) => fill(values), { [name]: right });
            assert.strictEqual(await page.evaluate(() => isValid()), true, name);
        }
    });
    await test('secrets are not readable on the screen', async () => {
        const types = await page.evaluate(() => SECRETS.map((name) => fieldNamed(name).inputType));
        assert.deepStrictEqual([...new Set(types)], ['password']);
    });
    await test('help leads to the page of the package', async () => {
        const link = await page.evaluate(() => pveOnlineHelpInfo[win.ipanel.onlineHelp].link);
        assert.match(link, /pve-storage-ontapnvme\.html$/);
    });
    await page.close();
}

async function editing(browser) {
    const { page, said } = await open(browser);
    await page.evaluate((values) => {
        window.sections.netapp = values;
        openWindow('netapp');
    }, {
        type: 'ontapnvme', content: 'images', digest: 'abc', ...REQUIRED, verify_ssl: 0, svm_capacity: 700,
        encryption: 1, tiering_policy: 'auto', autosize: 1,
    });
    await test('what is fixed is shown as text, and the rest as it is', async () => {
        const texts = ['mgmt_ip', 'username', 'subsystem'];
        const others = ['vserver', 'verify_ssl', 'svm_capacity', 'encryption', 'tiering_policy', 'autosize'];
        const types = await page.evaluate(
            (names) => names.map((name) => fieldNamed(name).xtype), [...texts, 'vserver'],
        );
        assert.deepStrictEqual(types, ['displayfield', 'displayfield', 'displayfield', 'proxmoxtextfield']);
        assert.deepStrictEqual(
            await page.evaluate((names) => values(names), [...texts, ...others, 'force_delete']),
            ['192.0.2.1', 'pve', 'pve_cluster', 'svm1', false, 700, '1', 'auto', true, false],
        );
    });
    await test('unchanged, nothing of ours is sent', async () => {
        assert.strictEqual(await page.evaluate(() => isValid()), true);
        assert.deepStrictEqual(await page.evaluate(() => submitted()), { content: ['images'] });
    });
    await test('what was changed is sent, and what was emptied is deleted', async () => {
        await page.evaluate((values) => fill(values), {
            verify_ssl: true, svm_capacity: null, encryption: '__default__', tiering_policy: 'all', vserver: 'svm2',
            force_delete: true, qos_policy: 'gold',
        });
        const sent = await page.evaluate(() => submitted());
        assert.deepStrictEqual([...sent.delete].sort(), ['encryption', 'svm_capacity']);
        delete sent.delete;
        assert.deepStrictEqual(sent, {
            content: ['images'], verify_ssl: '1', tiering_policy: 'all', vserver: 'svm2', force_delete: '1',
            qos_policy: 'gold',
        });
    });
    await test('a secret is sent when one was typed, and never deleted', async () => {
        await page.evaluate(() => fill({ password: 'new one' }));
        assert.strictEqual((await page.evaluate(() => submitted())).password, 'new one');
        await page.evaluate(() => fill({ password: '' }));
        const sent = await page.evaluate(() => submitted());
        assert.ok(!('password' in sent) && !sent.delete.includes('password'));
    });
    await test('when the form cannot be read nothing is sent', async () => {
        const sent = await page.evaluate(() => {
            fieldNamed('qos_policy').isDirty = () => { throw new Error('broken'); };
            try {
                return submitted();
            } catch (error) {
                return error.message;
            }
        });
        assert.strictEqual(sent, 'broken');
        assert.strictEqual(said.length, 1);
        await page.waitForFunction(() => /nothing was sent/.test(document.body.innerText), null, { timeout: 5000 });
    });
    await page.close();
}

async function hostile(browser) {
    const { page } = await open(browser);
    await test('texts of the section are text on the screen', async () => {
        await page.evaluate((text) => {
            window.sections.bad = { type: 'ontapnvme', content: 'images' };
            for (const name of ALL.filter((each) => !SECRETS.includes(each))) {
                window.sections.bad[name] = text;
            }
            openWindow('bad');
            win.query('tabpanel')[0].items.each((tab) => win.down('tabpanel').setActiveTab(tab));
        }, HOSTILE);
        await page.waitForTimeout(300);
        assert.strictEqual(await page.evaluate(() => window.hacked), undefined);
        assert.strictEqual(await page.evaluate(() => document.querySelectorAll('img[onerror]').length), 0);
        assert.strictEqual(await page.evaluate(() => fieldNamed('mgmt_ip').inputEl.dom.textContent), HOSTILE);
    });
    await page.close();
}

// Each is one way in which another interface may differ; the panel says one line and leaves all as it is.
async function inactive(browser) {
    const ways = {
        'Proxmox VE knows the type itself': () => { PVE.Utils.storageSchema.ontapnvme = { name: 'theirs' }; },
        'a class is missing': () => {
            const get = Ext.ClassManager.get;
            const missing = 'PVE.panel.StorageBase';
            Ext.ClassManager.get = (name) => (name === missing ? null : get.call(Ext.ClassManager, name));
        },
        'there is no list of types': () => { delete PVE.Utils.storageSchema; },
        'there is no interface': () => { delete window.PVE; },
        'the editors come from elsewhere': () => {
            PVE.dc.StorageView.prototype.createStorageEditWindow = function () {};
        },
    };
    for (const [what, before] of Object.entries(ways)) {
        const { page, said } = await open(browser, before);
        await test(`inactive, with one line: ${what}`, async () => {
            assert.strictEqual(said.length, 1, said.join('\n'));
            assert.match(said[0], /^pve-storage-ontapnvme-gui: inactive: /);
            assert.ok(!(await page.evaluate(() => window.PVE?.storage?.OntapNvmeInputPanel)));
            const row = await page.evaluate(() => window.PVE?.Utils?.storageSchema?.ontapnvme);
            assert.deepStrictEqual(row ?? { name: 'theirs' }, { name: 'theirs' });
        });
        await page.close();
    }
}

(async () => {
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'],
    });
    const source = require('fs').readFileSync(panelFile, 'utf8');
    const names = (re) => [...source.matchAll(re)].map((match) => match[1]);
    const all = names(/\{ name: '(\w+)', label:/g);
    const secrets = names(/\{ name: '(\w+)', label:.*kind: 'secret'/g);
    const newPage = browser.newPage.bind(browser);
    browser.newPage = async () => {
        const page = await newPage();
        await page.goto('data:text/html,<!DOCTYPE html><title>panel</title>');
        await page.evaluate((lists) => Object.assign(window, lists), { ALL: all, SECRETS: secrets });
        return page;
    };
    for (const part of [adding, editing, hostile, inactive]) {
        await part(browser);
    }
    await browser.close();
    console.log(`1..${count}`);
    process.exit(failed ? 1 : 0);
})();
