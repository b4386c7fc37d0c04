// SPDX-License-Identifier: AGPL-3.0-or-later
// Storages of the type ontapnvme in Proxmox VE's web interface: Add and Edit.
//
// The interface builds its Add menu and its windows from PVE.Utils.storageSchema; here the type gets its
// row there, and the panels that the row names. Nothing of the interface is replaced. All that is used is
// looked for first: where something is missing or has become another thing, one line on the console says
// so and the interface stays as it is.
//
// No strict code in here: callParent() asks a function for its caller, which strict code does not tell.
(function () {
    const TYPE = 'ontapnvme';
    const TITLE = 'NetApp ONTAP (NVMe/TCP)';
    const HELP = 'storage_ontapnvme';
    const HELP_PAGE = '/pve2/js/pve-storage-ontapnvme.html';
    const UNSET = '__default__';

    // From the table of settings, put here while building.
    const SETTINGS = [
        // settings
    ];

    const CLASSES = ['PVE.dc.StorageView', 'PVE.storage.BaseEdit', 'PVE.panel.StorageBase', 'Proxmox.panel.InputPanel'];
    const WIDGETS = [
        'displayfield',
        'proxmoxtextfield',
        'proxmoxintegerfield',
        'proxmoxcheckbox',
        'proxmoxKVComboBox',
        'pveContentTypeSelector',
    ];

    function say(what) {
        console.warn('pve-storage-ontapnvme-gui: ' + what);
    }

    // Why there is nothing to do here, or nothing that could be done; undefined if there is.
    function obstacle() {
        if (typeof Ext === 'undefined' || typeof Ext.define !== 'function' || typeof Ext.htmlEncode !== 'function') {
            return 'there is no ExtJS';
        }
        if (typeof gettext !== 'function') {
            return 'there is no gettext()';
        }
        if (typeof PVE === 'undefined' || !PVE.Utils || !Ext.isObject(PVE.Utils.storageSchema)) {
            return 'there is no PVE.Utils.storageSchema';
        }
        if (PVE.Utils.storageSchema[TYPE]) {
            return 'Proxmox VE knows the storage type by itself; this package can be removed';
        }
        const missing =
            CLASSES.find((name) => !Ext.ClassManager.get(name)) ||
            WIDGETS.find((name) => !Ext.ClassManager.getByAlias('widget.' + name));
        if (missing) {
            return 'there is no ' + missing;
        }
        // Editors of storage plugins are announced to come from the server one day, and not from this list.
        const opener = PVE.dc.StorageView.prototype.createStorageEditWindow;
        if (typeof opener !== 'function' || !/\bstorageSchema\b/.test(opener.toString())) {
            return 'the storage view takes its editors from elsewhere';
        }
        return undefined;
    }

    // ---- one setting, one field

    function hint(setting) {
        return Ext.htmlEncode(setting.name + ': ' + setting.summary);
    }

    function whenUnset(setting) {
        return setting.byDefault || setting.whenUnset || '';
    }

    // A choice, with what holds when none is made as its first one.
    function choice(setting, items) {
        const unset = whenUnset(setting);
        return {
            xtype: 'proxmoxKVComboBox',
            deleteEmpty: false,
            value: UNSET,
            comboItems: [[UNSET, gettext('Default') + (unset ? ' (' + unset + ')' : '')]].concat(items),
        };
    }

    function kindOfField(setting, isCreate) {
        switch (setting.kind) {
            case 'flag':
                return setting.byDefault === undefined
                    ? choice(setting, [['1', gettext('Yes')], ['0', gettext('No')]])
                    : { xtype: 'proxmoxcheckbox', checked: setting.byDefault === '1', uncheckedValue: '0' };
            case 'word':
                return choice(setting, setting.words.map((word) => [word, word]));
            case 'number':
                return {
                    xtype: 'proxmoxintegerfield',
                    minValue: setting.least,
                    maxValue: setting.most,
                    emptyText: whenUnset(setting),
                };
            case 'secret':
                return {
                    xtype: 'proxmoxtextfield',
                    inputType: 'password',
                    // A browser that fills in a password of its own would change the storage's.
                    inputAttrTpl: 'autocomplete="new-password"',
                    maxLength: setting.most,
                    emptyText: isCreate ? whenUnset(setting) : gettext('unchanged'),
                };
            default:
                return {
                    xtype: 'proxmoxtextfield',
                    trimValue: true,
                    maxLength: setting.most,
                    emptyText: whenUnset(setting),
                };
        }
    }

    function fieldOf(setting, isCreate) {
        const field = {
            name: setting.name,
            fieldLabel: setting.label,
            autoEl: { tag: 'div', 'data-qtip': hint(setting) },
        };
        if (setting.isFixed && !isCreate) {
            return Ext.apply(field, { xtype: 'displayfield', renderer: (value) => Ext.htmlEncode(value) });
        }
        const isNeeded = setting.isRequired && (isCreate || setting.kind !== 'secret');
        return Ext.apply(field, { allowBlank: !isNeeded }, kindOfField(setting, isCreate));
    }

    function fieldsOf(panel, belongs) {
        return SETTINGS.filter(belongs).map((setting) => fieldOf(setting, panel.isCreate));
    }

    // ---- what is sent

    // `values` with the panel's settings as they are to be sent: while adding what is not the default
    // anyway, while editing what was changed, and a secret only when one was typed.
    function valuesToSend(panel, values) {
        const sent = Ext.apply({}, values);
        const unset = [];
        for (const setting of SETTINGS) {
            const field = panel.down('[isFormField][name=' + setting.name + ']');
            if (!field) {
                continue;
            }
            delete sent[setting.name];
            const given = field.getSubmitData();
            const value = given && given[setting.name] !== undefined ? String(given[setting.name]) : '';
            const isEmpty = value === '' || value === UNSET;
            if (panel.isCreate) {
                if (!isEmpty && value !== setting.byDefault) {
                    sent[setting.name] = value;
                }
            } else if (field.isDirty() && !setting.isFixed) {
                if (!isEmpty) {
                    sent[setting.name] = value;
                } else if (setting.kind !== 'secret') {
                    unset.push(setting.name);
                }
            }
        }
        if (unset.length) {
            sent.delete = [].concat(sent.delete || [], unset);
        }
        return sent;
    }

    // As the fields want them: a choice compares texts.
    function valuesToShow(values) {
        const shown = Ext.apply({}, values);
        for (const setting of SETTINGS) {
            if (setting.kind === 'secret') {
                delete shown[setting.name];
            } else if (shown[setting.name] !== undefined && shown[setting.name] !== null) {
                shown[setting.name] = String(shown[setting.name]);
            }
        }
        return shown;
    }

    // Half a form must not be sent: the window stays open and nothing has happened.
    function giveUp(error) {
        say(error);
        Ext.Msg.alert(gettext('Error'), Ext.htmlEncode('cannot read the form, nothing was sent: ' + error));
        throw error;
    }

    // ---- the panels

    // Each setting belongs to exactly one place.
    const isMain = (setting) => setting.isRequired;
    const isSecurity = (setting) => !setting.isRequired && setting.name.startsWith('nvme_');
    const isOfDisks = (setting) => !setting.isRequired && setting.topic === 'disks';
    const isAdvanced = (setting) => ![isMain, isSecurity, isOfDisks].some((belongs) => belongs(setting));

    function inHalves(fields) {
        const half = Math.ceil(fields.length / 2);
        return [fields.slice(0, half), fields.slice(half)];
    }

    function definePanels() {
        Ext.define('PVE.storage.OntapNvmeTab', {
            extend: 'Proxmox.panel.InputPanel',
            alias: 'widget.pveStorageOntapNvmeTab',

            belongs: Ext.emptyFn,

            initComponent: function () {
                const me = this;
                try {
                    const [left, right] = inHalves(fieldsOf(me, me.belongs));
                    Ext.apply(me, { column1: left, column2: right });
                } catch (error) {
                    say(error);
                    Ext.apply(me, { column1: [], column2: [] });
                }
                me.callParent();
            },

            onGetValues: function (values) {
                try {
                    return valuesToSend(this, values);
                } catch (error) {
                    return giveUp(error);
                }
            },

            onSetValues: function (values) {
                try {
                    return valuesToShow(values);
                } catch (error) {
                    return giveUp(error);
                }
            },
        });

        Ext.define('PVE.storage.OntapNvmeInputPanel', {
            extend: 'PVE.panel.StorageBase',

            initComponent: function () {
                const me = this;
                try {
                    const [left, right] = inHalves(fieldsOf(me, isAdvanced));
                    Ext.apply(me, {
                        onlineHelp: registerHelp(),
                        column1: fieldsOf(me, isMain),
                        column2: [
                            {
                                xtype: 'pveContentTypeSelector',
                                name: 'content',
                                fieldLabel: gettext('Content'),
                                cts: ['images', 'rootdir', 'import'],
                                value: ['images', 'rootdir'],
                                multiSelect: true,
                                allowBlank: false,
                            },
                        ],
                        advancedColumn1: left,
                        advancedColumn2: right,
                    });
                    me.extraTabs = [
                        { title: gettext('Disks'), belongs: isOfDisks },
                        { title: gettext('Security'), belongs: isSecurity },
                    ].map((tab) =>
                        Ext.apply(tab, { xtype: 'pveStorageOntapNvmeTab', onlineHelp: me.onlineHelp }),
                    );
                } catch (error) {
                    say(error);
                    Ext.apply(me, { column1: [], column2: [], extraTabs: [] });
                }
                me.callParent();
            },

            onGetValues: function (values) {
                const me = this;
                let sent;
                try {
                    sent = valuesToSend(me, values);
                } catch (error) {
                    giveUp(error);
                }
                return me.callParent([sent]);
            },

            onSetValues: function (values) {
                try {
                    return valuesToShow(values);
                } catch (error) {
                    return giveUp(error);
                }
            },
        });
    }

    // The page of this package in the interface's list of help pages; undefined where there is no list.
    function registerHelp() {
        const pages =
            typeof proxmoxOnlineHelpInfo !== 'undefined'
                ? proxmoxOnlineHelpInfo
                : typeof pveOnlineHelpInfo !== 'undefined'
                  ? pveOnlineHelpInfo
                  : undefined;
        if (!Ext.isObject(pages)) {
            return undefined;
        }
        pages[HELP] = { link: HELP_PAGE, title: TITLE };
        return HELP;
    }

    try {
        const reason = obstacle();
        if (reason) {
            say('inactive: ' + reason);
            return;
        }
        definePanels();
        PVE.Utils.storageSchema[TYPE] = {
            name: TITLE,
            ipanel: 'OntapNvmeInputPanel',
            faIcon: 'database',
            backups: false,
        };
    } catch (error) {
        say('inactive: ' + error);
    }
})();
