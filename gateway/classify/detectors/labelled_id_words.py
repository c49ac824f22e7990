"""The words that stand beside identifiers in many languages, with each identifier's written shape.

A row is the finding type, the value's shape, the name of a check of the bare value (see
`labelled_id.CHECKS`; empty for the shape alone), and the words, separated by semicolons. Words are
written without accents, as detectors see them. A word after `=` stands only between non-letters,
because it is short or part of other words. Shapes are from the issuers' own descriptions.
"""

from __future__ import annotations

#: Letters and digits of a document, and digits alone, with the separators that people use.
ALNUM = r"[A-Z0-9][A-Z0-9\-]{4,18}[A-Z0-9]"
MIXED = r"[A-Z0-9](?:[ \-./]?[A-Z0-9]){5,19}"
DIGITS = r"\d(?:[ \-./]?\d){5,19}"

ROWS: tuple[tuple[str, str, str, str], ...] = (
    (
        "passport", ALNUM, "document",
        "passport;reisepass;passnummer;passeport;pasaporte;passaport;paspoort;paszport;=pas nr;"
        "=passnr;pasnummer;passinumero;=passi;cestovni pas;"
        "cestovny pas;utlevel;=pasaport;putovnica;"
        "potni list;=paspor;ho chieu;visa number;visum nr;numero de visa;travel document",
    ),
    ("passport", r"[A-Z]{0,3}-?\d{7,13}", "", "green card;uscis;alien registration;=a-number"),
    (
        "driver_license", MIXED, "document",
        "driver's licen;drivers licen;driver licen;driving licen;driver_licen;driving permit;"
        "fuhrerschein;permis de cond;licencia de cond;permiso de cond;carnet de cond;"
        "patente di guida;=patente;carteira de motorista;"
        "carta de conducao;carteira nacional de hab;"
        "rijbewijs;prawo jazdy;prawa jazdy;korkort;korekort;forerkort;ajokortti;ridicsky prukaz;"
        "vodicsky preukaz;jogositvany;vezetoi engedely;permis de conducere;surucu belgesi;ehliyet;"
        "vozacka dozvola;voznisko dovoljenje;bang lai;giay phep lai xe",
    ),
    (
        "driver_license", MIXED, "five",
        "=dl number;=dl no;=dl;=dl#;licence no;license no;license nu;licence nu;=cnh;"
        "lenkerberechtigung;=surat izin mengemudi;=sim number",
    ),
    ("bank_account", DIGITS, "six", "account n;kontonummer;=kontonr;bankrekening;rekeningnummer"),
    (
        "bank_account", r"\d{7,17}", "six",
        "account;=acct;=a/c;=konto;compte bancaire;numero de compte;numero de cuenta;"
        "cuenta bancaria;cuenta corriente;conto corrente;numero di conto;=conta;numer konta;"
        "=rachunek;numer rachunku;tilinumero;cislo uctu;bankszamla;numar de cont;broj racuna;"
        "hesap numara;hesap no;nomor rekening;so tai khoan;bankkonto",
    ),
    ("bank_account", r"\d{2}[ \-]?\d{2}[ \-]?\d{2}", "", "sort code;sortcode"),
    ("bank_account", r"\d{18}", "", "=clabe"),
    ("bank_account", r"\d{22}", "", "=cbu;=cvu"),
    ("routing_number", r"\d{4}-?\d{4}-?\d", "aba", "routing;=aba;=rtn"),
    ("routing_number", r"\d{3}[ \-]?\d{3}[ ]?\d{2}", "", "=blz;bankleitzahl"),
    ("routing_number", r"\d{3}-?\d{3}", "", "=bsb"),
    ("routing_number", r"[A-Z]{4}0[A-Z0-9]{6}", "", "=ifsc"),
    ("routing_number", r"\d{5}[ \-]?\d{3}", "", "transit number;transit no"),
    ("health_id", r"\d{3}[ \-]?\d{3}[ \-]?\d{4}", "", "=nhs;health service number;=chi number"),
    (
        "health_id", MIXED, "five",
        "medicare;medicaid;health insurance;health card;health number;member id;=ohip;=phn;=ihi;"
        "versichertennummer;versichertennr;krankenversicherung;krankenkasse;=kvnr;carte vitale;"
        "tarjeta sanitaria;tessera sanitaria;cartao nacional de saude;=cns;=hicn;"
        "zorgverzekering;patient number;patient no;patientennummer;numero de patient;"
        "beneficiary id;subscriber id;insurance id;insurance number;insurance policy;policy number;"
        "certificate number;medical licen;=lanr;=bsnr;arztnummer;betriebsstatten",
    ),
    (
        "health_id", r"[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}", "",
        "=mbi;beneficiary identifier",
    ),
    ("health_id", r"[A-Z]{0,4}-?\d{4,12}", "", "=mrn;medical record;patient id;chart number"),
    ("health_id", r"\d{10}|\d{4}[ \-]\d{3}[ \-]\d{3}", "", "=npi;provider identifier;provider id"),
    ("health_id", r"[A-Z]{2}\d{7}", "", "=dea"),
    ("health_id", r"\d{3}[ -]?\d{3}[ -]?\d{3}", "", "=taj"),
    ("tax_id", r"\d{2}-?\d{7}", "", "=ein;employer identification;=fein"),
    ("tax_id", r"9\d{2}-?\d{2}-?\d{4}", "", "=itin;=atin"),
    ("tax_id", r"P\d{8}", "", "=ptin"),
    ("tax_id", r"\d{3}[ \-]?\d{2,3}[ \-]?\d{3,4}(?:-\d{3,5})?|\d{9,12}", "", "=tin;=tin no"),
    (
        "tax_id", MIXED, "six",
        "tax id;tax-id;tax_id;taxid;tax number;tax no;taxpayer;tax registration;tax reference;"
        "steuernummer;steuer-id;steueridentifikation;numero fiscal;identificacion fiscal;"
        "identifiant fiscal;codigo fiscal;numer identyfikacji podatkowej;skattenummer;"
        "danove identifikacni;adoazonosito;vergi kimlik;vergi no;verotunnus;belastingnummer;"
        "numero de contribuinte;contribuyente;vat n;vat id;vat reg;"
        "=vat;ust-id;ustid;umsatzsteuer-id;"
        "tva intracom;numero de tva;partita iva;=p.iva;=p. iva;btw-n;btw nummer;=nip;=regon;=siren;"
        "=siret;=kvk;=cvr;=ico;=dic;=momsnr;organisationsnummer;organisasjonsnummer;y-tunnus;"
        "=cif;=cui;=eik;=pib;=oib;=npwp;=gstin;=abn;=acn;=edrpou;=ntn;=ruc;=nit",
    ),
    ("tax_id", r"\d{5} ?\d{5}", "", "=utr"),
    ("tax_id", r"\d{3} ?\d{3} ?\d{2,3}", "", "=tfn;tax file"),
    ("tax_id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}|\d{2,3}/\d{3}/\d{4,5}", "", "steuer;=idnr;=stnr"),
    ("tax_id", r"\d{9}|\d{8}-?[A-Z]|[A-Z]\d{7}[A-Z0-9]", "", "=nif"),
    ("tax_id", r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}", "", "=cnpj"),
    ("tax_id", r"[A-Z]{5}\d{4}[A-Z]", "", "=pan;permanent account number"),
    ("tax_id", r"[A-Z&]{3,4}\d{6}[A-Z0-9]{3}", "", "=rfc"),
    ("tax_id", r"\d{2}-?\d{8}-?\d", "", "=cuit;=cuil"),
    ("tax_id", r"\d{9}", "", "=afm"),
    ("tax_id", r"\d{10}(?:\d{2})?", "", "=inn"),
    ("tax_id", r"\d{2,3}-?\d{3}-?\d{3}", "", "=ird"),
    ("tax_id", r"\d{8}-?\d-?\d{2}|\d{10}", "", "adoszam"),
    ("tax_id", r"[A-Z]\d{9}[A-Z]", "", "=kra pin"),
    ("national_id", r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", "", "=cpf"),
    (
        "national_id", MIXED, "six",
        "=id number;identity number;identification number;=id no;identification no;"
        "personal number;personal code;personal id;citizen number;identifikationsnummer;"
        "identitatsnummer;numero d'identite;numero de identidad;numero de identificacion;"
        "numero de documento;numero di identita;=numero identificativo;identificatienummer;"
        "=t.c. kimlik;kimlik no;kimlik numara;=nik;no. ktp;so cmnd;=cmnd;=cccd;can cuoc",
    ),
    (
        "national_id", MIXED, "five",
        "identity card;=id card;national id;national_id;nationalid;carte d'identite;"
        "cedula de identidad;documento de identidad;carta d'identita;cartao de cidadao;"
        "documento nacional;identiteitskaart;dowod osobisty;dowodu osobistego;"
        "legitimation nr;henkilokortti;obcansky prukaz;osobna iskaznica;osebna izkaznica;"
        "szemelyi igazolvany;carte de identitate;personalausweis;ausweisnummer;ausweisnr;"
        "residence permit;aufenthaltstitel;titre de sejour;permiso de residencia;=rg;=fin;=frn",
    ),
    (
        "national_id", r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]", "",
        "national insurance;=nino;=ni number;=ni no",
    ),
    ("national_id", r"\d{9}|\d{4}[. ]?\d{2}[. ]?\d{3}", "", "=bsn;burgerservicenummer;sofinummer"),
    ("national_id", r"(?:\d{2})?\d{6}[\-+ ]?\d{4}", "", "personnummer;=pnr;samordningsnummer"),
    ("national_id", r"\d{6} ?\d{5}", "", "fodselsnummer;=fnr;fodselsnr"),
    ("national_id", r"\d{6}[\- ]?\d{4}", "", "=cpr;=cpr-nr;kennitala;=kt"),
    (
        "national_id", r"\d{6}[\-+A-FU-Y]\d{3}[0-9A-Y]", "",
        "=hetu;henkilotunnus;sosiaaliturvatunnus;personbeteckning;personal identity code",
    ),
    ("national_id", r"756\.?\d{4}\.?\d{4}\.?\d{2}", "", "=ahv;=avs;ahv-nr;sozialversicherungsnr"),
    ("national_id", r"\d{11}", "", "=pesel;=oib;=tckn;=amka;asmens kodas;isikukood;kimlik"),
    ("national_id", r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]", "", "codice fiscale;=cod. fisc"),
    ("national_id", r"\d{8}[ \-]?[A-Z]", "", "=dni"),
    ("national_id", r"\d{2}\.?\d{3}\.?\d{3}", "", "=dni"),
    ("national_id", r"[XYZ][ \-]?\d{7}[ \-]?[A-Z]", "", "=nie"),
    (
        "national_id", r"[12] ?\d{2} ?\d{2} ?\d[0-9AB] ?\d{3} ?\d{3}(?: ?\d{2})?", "",
        "securite sociale;=nir;=n ss;=nss;numero de secu",
    ),
    (
        "national_id", r"\d{2} ?\d{6} ?[A-Z] ?\d{3}", "",
        "sozialversicherung;rentenversicherung;=svnr;=rvnr",
    ),
    ("national_id", r"\d{4} ?\d{6}", "", "=svnr;sozialversicherung;=sv-nr"),
    ("national_id", r"\d{4}[ \-]?\d{4}[ \-]?\d{4}(?:[ \-]?\d{4})?", "", "aadhaar;aadhar;=uid;=vid"),
    ("national_id", r"\d{3}[ \-]?\d{3}[ \-]?\d{3}", "", "=sin;social insurance;=nas"),
    ("national_id", r"[STFGM]\d{7}[A-Z]", "", "=nric"),
    ("national_id", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", "", "=curp"),
    ("national_id", r"\d{4}[ \-]?\d{4}[ \-]?\d{4}", "", "my number;individual number"),
    ("national_id", r"\d{6}-?\d{7}", "", "=rrn;resident registration;foreigner registration"),
    ("national_id", r"[A-Z]{3}\d{7}", "", "voter;=epic"),
    ("national_id", r"[1-9]\d{12}", "", "=cnp;cod numeric personal;=jmbg;=emso"),
    ("national_id", r"\d{1,2}\.?\d{3}\.?\d{3}-?[0-9K]", "", "=rut"),
    ("national_id", r"\d{1,2}\.\d{3}\.\d{3}-[0-9K]", "", "=run"),
    ("national_id", r"\d{10}", "", "=egn"),
    ("national_id", r"\d{7}[A-W][A-IW]?", "", "=pps;=ppsn;personal public service"),
    ("national_id", DIGITS, "six", "cedula;teudat;mispar zehut"),
    ("national_id", r"\d{6}-?\d{5}", "", "personas kods"),
    ("national_id", r"\d{6}/?\d{3,4}", "", "rodne cislo;rodneho cisla;=rc"),
    ("national_id", r"[A-Z]{1,2}\d{6}\(?[0-9A]\)?", "", "=hkid;hong kong id"),
    ("national_id", r"\d{6}-?\d{2}-?\d{4}", "", "mykad;=ic no;=ic number;=nric"),
    ("national_id", r"\d{5}-?\d{7}-?\d", "", "=cnic"),
    ("national_id", r"784-?\d{4}-?\d{7}-?\d", "", "emirates id"),
    ("national_id", r"\d{3}-?\d{3}-?\d{3}[ -]?\d{2}", "", "=snils"),
    ("national_id", r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}", "", "rijksregister;registre national"),
    ("national_id", r"\d-?\d{4}-?\d{5}-?\d{2}-?\d", "", "thai id;thai national"),
    ("national_id", r"\d{2}[/ ]?\d{8}[/ ]?\d{2}", "", "numero de seguridad social;=nuss"),
    ("national_id", r"\d{4}[ \-]?\d{7}[ \-]?\d", "", "=umid;=sss;philhealth;pag-ibig;=phn"),
    ("national_id", r"\d{3}\.\d{5}\.\d{2}-\d", "", "=pis;=pasep;=nis"),
    ("national_id", r"\d{13}", "", "=said;south african id;=za id;=idno;=thai id"),
    ("us_ssn", r"\d{3}[ -]?\d{2}[ -]?\d{4}", "", "social security;social sec"),
    ("device_id", r"\d{2}[ \-]?\d{6}[ \-]?\d{6}[ \-]?\d{1,2}", "", "imei"),
    ("device_id", r"[A-F0-9]{14}", "six", "=meid"),
    ("device_id", r"\d{14,15}", "", "=imsi"),
    ("device_id", r"89\d{16,18}[\dF]?", "", "=iccid;sim card number"),
    (
        "device_id", r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|[0-9A-Fa-f\-]{16,40}",
        "six",
        "=udid;=idfa;=gaid;advertising id;android id;android_id;"
        "device id;device_id;deviceid;"
        "device identifier",
    ),
    (
        "device_id", ALNUM, "serial",
        "device serial;laptop serial;phone serial;machine serial;asset tag;serial number of my;"
        "geratenummer;numero de serie de;pacemaker",
    ),
)  # fmt: skip
