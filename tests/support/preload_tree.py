"""Writes a device's tree with vendors' places, lists, scripts and layouts, into the folder named: packages by aapt2, code as
a DEX header alone, keys and signatures by openssl and apksigner. Nothing of it comes from the program under test."""

import gzip, hashlib, os, shutil, ssl, struct, subprocess, sys, tempfile, zipfile

OUT = sys.argv[1]
FRAMEWORK = '/usr/share/android-framework-res/framework-res.apk'
WORK = tempfile.mkdtemp()


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit('%s: %s%s' % (' '.join(command), done.stdout, done.stderr))


def write(path, text):
    path = os.path.join(OUT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out:
        out.write(text if isinstance(text, bytes) else text.encode())


def key(name):
    stem = os.path.join(WORK, name)
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '9999', '-subj', '/CN=' + name,
        '-keyout', stem + '.pem', '-out', stem + '.crt')
    run('openssl', 'pkcs8', '-topk8', '-nocrypt', '-outform', 'DER', '-in', stem + '.pem', '-out', stem + '.pk8')


LAUNCHER = '<activity android:name=".Main" android:exported="true"><intent-filter>' \
    '<action android:name="android.intent.action.MAIN"/><category android:name="android.intent.category.LAUNCHER"/>' \
    '</intent-filter></activity>'


def role(*filters):
    rows = ''
    for action, category, scheme in filters:
        data = '<data android:scheme="%s"/>' % scheme if scheme else ''
        rows += '<intent-filter><action android:name="android.intent.action.%s"/>' \
            '<category android:name="android.intent.category.%s"/>%s</intent-filter>' % (action, category, data)
    return '<activity android:name=".Role" android:exported="true">%s</activity>' % rows


HOME = role(('MAIN', 'HOME', None))
BROWSER = role(('VIEW', 'BROWSABLE', 'http'))
DIALER = role(('DIAL', 'DEFAULT', None), ('DIAL', 'DEFAULT', 'tel'))


def receiver(action):
    return '<receiver android:name=".R" android:exported="true"><intent-filter><action android:name="%s"/>' \
        '</intent-filter></receiver>' % action


def apk(path, package, inside=LAUNCHER, application='', manifest='', values='', xml={}, classes=50, sign=None, gz=False):
    """A package file. `classes`: classes that its DEX defines; None for no code."""
    folder = tempfile.mkdtemp(dir=WORK)
    os.makedirs(folder + '/res/values'), os.makedirs(folder + '/res/xml')
    with open(folder + '/AndroidManifest.xml', 'w') as out:
        out.write('<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="%s" '
                  'android:versionCode="7" android:versionName="1.7"><uses-sdk android:minSdkVersion="24" '
                  'android:targetSdkVersion="29"/>%s<application %s>%s</application></manifest>'
                  % (package, manifest, application, inside))
    with open(folder + '/res/values/v.xml', 'w') as out:
        out.write('<resources><string name="x">x</string>%s</resources>' % values)
    for name, text in xml.items():
        with open(folder + '/res/xml/%s.xml' % name, 'w') as out:
            out.write(text)
    run('aapt2', 'compile', '--dir', folder + '/res', '-o', folder + '/res.zip')
    made = folder + '/made.apk'
    run('aapt2', 'link', '-I', FRAMEWORK, '--manifest', folder + '/AndroidManifest.xml', '-o', made, folder + '/res.zip')
    if classes is not None:
        header = b'dex\n035\0' + bytes(24) + struct.pack('<III', 112, 112, 0x12345678) + bytes(52) + struct.pack('<II', classes, 112) + bytes(8)
        assert len(header) == 112, len(header)
        with zipfile.ZipFile(made, 'a') as out:
            out.writestr('classes.dex', header)
    if sign:
        stem = os.path.join(WORK, sign)
        run('apksigner', 'sign', '--key', stem + '.pk8', '--cert', stem + '.crt', '--v1-signing-enabled', 'false',
            '--v3-signing-enabled', 'false', made)
    with open(made, 'rb') as source:
        content = source.read()
    write(path, gzip.compress(content) if gz else content)


for name in ('platform', 'other'):
    key(name)
with open(os.path.join(WORK, 'other.crt')) as source:
    DIGEST = hashlib.sha256(ssl.PEM_cert_to_DER_cert(source.read())).hexdigest().upper()

write('system/build.prop', 'ro.build.version.sdk=33\nro.build.version.release=13\nro.product.brand=a\nro.product.name=b\n'
      'ro.product.device=c\nro.build.id=I\nro.build.version.incremental=1\nro.build.type=user\nro.build.tags=release-keys\n'
      'ro.build.characteristics=default\n')
write('vendor/build.prop', 'ro.product.vendor.brand=a\npersist.vendor.pms_removable=1\n')
write('product/etc/build.prop', 'ro.product.product.brand=a\nro.miui.cust_variant=ru\n')

write('system_ext/etc/build.prop', 'ro.product.system_ext.brand=a\n')

# The platform, and overlays of its configuration: the later partition wins before the higher priority, and one that is not
# static does not count.
CONFIG = '<string name="%s">%s</string>'
apk('system/framework/framework-res.apk', 'android', inside='', application='android:hasCode="false"', classes=None, sign='platform',
    values=CONFIG % ('config_defaultBrowser', 'com.example.nobody') + CONFIG % ('config_defaultDialer', '')
    + CONFIG % ('config_systemGallery', 'com.example.gallery') + CONFIG % ('config_systemContacts', 'com.example.contacts:' + DIGEST)
    + CONFIG % ('config_systemSpeech', 'com.example.speech') + CONFIG % ('config_systemImage', 'not a package')
    + CONFIG % ('config_deviceProvisioningPackage', 'com.example.setup') + '<integer name="config_userTypePackageWhitelistMode">13</integer>')


def overlay(path, package, priority, browser, static=True):
    extra = 'android:isStatic="true" android:priority="%d"' % priority if static else 'android:priority="%d"' % priority
    apk(path, package, inside='', application='android:hasCode="false"', classes=None,
        manifest='<overlay android:targetPackage="android" %s/>' % extra, values=CONFIG % ('config_defaultBrowser', browser))


overlay('vendor/overlay/V/V.apk', 'com.example.overlay.vendor', 9, 'com.example.browser.two')
overlay('product/overlay/P/P.apk', 'com.example.overlay.product', 1, 'com.example.browser')
overlay('product/overlay/Q/Q.apk', 'com.example.overlay.dynamic', 99, 'com.example.browser.two', static=False)

# System apps of each kind.
apk('system/app/Plain/Plain.apk', 'com.example.plain', sign='other')
apk('system/app/Signed/Signed.apk', 'com.example.signed', sign='platform')
apk('system/app/Persistent/Persistent.apk', 'com.example.persistent', application='android:persistent="true"')
apk('system/app/Setup/Setup.apk', 'com.example.setup')
apk('system/app/Setups/Setups.apk', 'com.example.setups')
apk('system/app/Browser/Browser.apk', 'com.example.browser', inside=LAUNCHER + BROWSER)
apk('system/app/Browser2/Browser2.apk', 'com.example.browser.two', inside=LAUNCHER + BROWSER)
apk('system/priv-app/Dialer/Dialer.apk', 'com.example.dialer', inside=LAUNCHER + DIALER)
HOTSEAT = 'xmlns:launcher="http://schemas.android.com/apk/res-auto"'
apk('system/priv-app/Home/Home.apk', 'com.example.home', inside=HOME,
    values=''.join('<attr name="%s" format="string"/>' % name for name in ('screen', 'packageName', 'className')),
    xml={'default_workspace_5x5': '<favorites %s><favorite launcher:screen="0" launcher:packageName="com.example.signed" launcher:className="A"/></favorites>' % HOTSEAT})
apk('product/app/Kept/Kept.apk', 'com.android.printspooler')
apk('system/app/NoCode/NoCode.apk', 'com.example.nocode', classes=None)
apk('product/app/Web-Stub/Web-Stub.apk', 'com.example.web', classes=None)
apk('product/app/Web/Web.apk.gz', 'com.example.web', gz=True)

# MediaTek's and Transsion's lists, and a list of a neighbouring name.
apk('system/app/Listed/Listed.apk', 'com.example.listed', sign='platform')
apk('system/app/Listee/Listee.apk', 'com.example.listee')
apk('system/app/Tran/Tran.apk', 'com.example.tran')
write('system/etc/permissions/pms_sysapp_removable_system_list.txt', '\ncom.example.listed\n#com.example.listee\n')
write('system/etc/permissions/pms_sysapp_removable_systems_list.txt', 'com.example.listee\n')
write('tr_product/etc/permissions/tran_removable_list.txt', 'com.example.tran\n')
write('tr_product/build.prop', 'ro.product.tr_product.brand=a\n')

# Places of vendors, and their neighbours.
PLACES = {
    'product/data-app/Data/Data.apk': 'com.example.place.xiaomi',
    'product/data-apps/Data/Data.apk': 'com.example.place.xiaomis',
    'my_stock/del-app/Del/Del.apk': 'com.example.place.oplus',
    'my_stock/del-app-pre/Pre/Pre.apk': 'com.example.place.oplus.early',
    'my_stock/del_app/Del/Del.apk': 'com.example.place.oplusx',
    'system/preload/Pre/Pre.apk': 'com.example.place.samsung',
    'system/preloads/Pre/Pre.apk': 'com.example.place.samsungs',
    'oem/bundled_persist-app/A/A.apk': 'com.example.place.rock.stays',
    'oem/bundled_uninstall_back-app/B/B.apk': 'com.example.place.rock.back',
    'oem/bundled_uninstall_gone-app/C/C.apk': 'com.example.place.rock.gone',
    'oem/bundled_uninstall_gone_app/D/D.apk': 'com.example.place.rock.none',
    'system/delapp/E/E.apk': 'com.example.place.huawei',
    'product/operator/app/F/F.apk': 'com.example.place.transsion',
    'system/vendor_apps/G/G.apk': 'com.example.place.unknown',
    'system/preinstall/H.apk': 'com.example.place.allwinner',
    'system/factory_apps/I.apk': 'com.example.script.folder',
    'vendor/etc/boxes/J.apk': 'com.example.script.file',
    'vendor/etc/boxes/K.apk': 'com.example.script.other',
    'cust/app/customized/Wanted/Wanted.apk': 'com.example.cust.wanted',
    'cust/app/customized/Unwanted/Unwanted.apk': 'com.example.cust.unwanted',
    'cust/app/customized/Elsewhere/Elsewhere.apk': 'com.example.cust.elsewhere',
    'hw_product/region_comm/russia/app/L/L.apk': 'com.example.huawei.listed',
    'hw_product/region_comm/russia/app/M/M.apk': 'com.example.huawei.unlisted',
    'system/app/Profile/Profile.apk': 'com.example.types.profile',
    'system/app/Full/Full.apk': 'com.example.types.full',
    'system/app/Skipped/Skipped.apk': 'com.example.skipped',
    'system/app/Carrier/Carrier.apk': 'com.example.carrier',
}
for path, package in PLACES.items():
    apk(path, package)
write('oem/build.prop', 'ro.product.oem.brand=a\n')
write('my_stock/build.prop', 'ro.product.my_stock.brand=a\n')
write('hw_product/build.prop', 'ro.product.hw_product.brand=a\n')
write('cust/cust/ru/customized_applist', 'Wanted.apk\nUnwante.apk\n')
write('cust/cust/eea/customized_applist', 'Elsewhere.apk\n')
write('cust/cust/ru/recommended_applist', 'com.example.cust.fetched.apk\npartner.apk\n')
write('cust/etc/cust_apps_config', '{"data":[{"packageName":"com.example.cust.configured","custConfig":[{"custVariants":"ru","enable":true}]},'
      '{"packageName":"com.example.cust.disabled","custConfig":[{"custVariants":"ru","enable":false}]}]}')
write('hw_product/xml/APKInstallListEMUI5Release.txt', '/hw_product/region_comm/russia/app/L/L.apk,sys\n')
write('system/etc/removable_preload.txt', "[Fetched]\nname='com.example.samsung.fetched'\nversionCode='1'\n[Plain]\nname='com.example.plain'\n")
write('system/etc/uninstall_preloadpkg.lst', '#com.example.plain\ncom.example.skipped\n')
write('prism/etc/carriers/single/SER/enforceskippingpackages.txt', 'Carrier.apk\n')
write('prism/build.prop', 'ro.product.prism.brand=a\n')
write('system/etc/sysconfig/preinstalled-packages.xml', '<config>\n<install-in-user-type package="com.example.types.profile">\n'
      '<install-in user-type="PROFILE"/></install-in-user-type>\n<install-in-user-type package="com.example.types.full">\n'
      '<install-in user-type="FULL"/></install-in-user-type></config>')
write('system/etc/init/boxes.rc', 'service preinstall /system/bin/preinstall.sh\n    oneshot\non boot\n    start preinstall\n')
write('system/bin/preinstall.sh', '#!/system/bin/sh\nfor f in /system/factory_apps/*; do pm install -r "$f"; done\npm install -r /vendor/etc/boxes/J.apk\n')

# What arrives later, and layouts of the home screen.
apk('product/priv-app/PlayAutoInstallConfig/PlayAutoInstallConfig.apk', 'android.autoinstalls.config.example',
    inside=receiver('android.autoinstalls.config.action.PLAY_AUTO_INSTALL'), application='android:hasCode="false"', classes=None,
    xml={
        'default_layout': '<workspace>\n<appicon packageName="com.example.plain" className="com.example.plain.Main" container="hotseat" rank="0"/>\n'
        '<folder screen="0" x="0" y="4" title="@string/x">\n<autoinstall packageName="com.example.auto" className="A"/>\n'
        '<appicon packageName="com.example.signed" className="B"/></folder>\n<appicon packageName="com.example.tran" className="C" screen="2" x="0" y="0"/>\n'
        '<include workspace="@xml/default_layout_part"/></workspace>',
        'default_layout_5x5': '<workspace>\n<appicon packageName="com.example.plain" className="com.example.plain.Main" screen="1" x="0" y="0"/>\n'
        '<autoinstall packageName="com.example.auto" className="A" screen="0" x="1" y="1"/></workspace>',
        'default_layout_part': '<workspace><shortcut url="https://www.rustore.ru/catalog/app/com.example.linked" screen="1" title="@string/x"/></workspace>',
        'default_layouts_other': '<workspace/>',
    })
apk('product/app/NotConfig/NotConfig.apk', 'com.example.notconfig', inside=receiver('android.autoinstalls.config.action.PLAY_AUTO_INSTALLS'),
    application='android:hasCode="false"', classes=None, xml={'default_layout': '<workspace><autoinstall packageName="com.example.never" className="A" screen="0"/></workspace>'})

# Roles: held by the package that the platform names, by the one with the certificate named beside it, maybe by one that needs
# components, by nobody yet; and neighbours that are not named.
ROLES = '''<roles>
<permission-set name="storage">
<permission name="android.permission.READ_EXTERNAL_STORAGE"/>
</permission-set>
<role name="android.app.role.SYSTEM_GALLERY" defaultHolders="config_systemGallery" static="true">
<permissions>
<permission-set name="storage"/>
<permission name="android.permission.RECORD_AUDIO" minSdkVersion="34"/>
</permissions></role>
<role name="android.app.role.SYSTEM_CONTACTS" defaultHolders="config_systemContacts" minSdkVersion="31">
<permissions><permission name="android.permission.ACCESS_RCS_USER_CAPABILITY_EXCHANGE"/></permissions></role>
<role name="android.app.role.SYSTEM_LATER" defaultHolders="config_systemGallery" minSdkVersion="34">
<permissions><permission name="android.permission.CAMERA"/></permissions></role>
<role name="android.app.role.SYSTEM_SPEECH_RECOGNIZER" defaultHolders="config_systemSpeech">
<required-components><service/></required-components>
<permissions><permission name="android.permission.RECORD_AUDIO"/></permissions></role>
</roles>'''
ASKS = ''.join('<uses-permission android:name="android.permission.%s"/>' % name
               for name in ('READ_EXTERNAL_STORAGE', 'RECORD_AUDIO', 'CAMERA', 'ACCESS_RCS_USER_CAPABILITY_EXCHANGE'))
apk('system/priv-app/PermissionController/PermissionController.apk', 'com.android.permissioncontroller', xml={'roles': ROLES})
for name, signer in (('gallery', None), ('gallery.two', None), ('contacts', 'other'), ('contacts.two', 'other'), ('speech', None)):
    apk('system/app/R%s/R.apk' % name, 'com.example.' + name, manifest=ASKS, sign=signer)
shutil.rmtree(WORK)
