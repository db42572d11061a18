"""The GS1 application identifiers as data. Read by `table.py`; facts of the General Specifications, releases 25 and 26.

One identifier a line: `AI flags form… [key[=qualifiers]] [with=…] [not=…] | data title`.
Flags: `=` its length is predefined, so no separator follows in a barcode; `p` it may only stand in a link's path, or
nowhere in a link; `-` neither. Form: one word a component, `N` digits, `X` the 82 characters, `Y` the 39, `Z` base 64;
`6` exact or `1-20`; `?` first if optional; `:name` for each check of `contents.py`. `key` starts a link's path, with
its ordered qualifiers and `/` between alternatives. `with` names what must accompany it (one of those with commas; each
`with` counts; `+` joins two), `not` what must not; `n` stands for any digit.
"""

SINGLE = """
00 = N18:mod10 key | SSCC
01 = N14:mod10 key=22,10,21/235 not=255,37 | GTIN
02 = N14:mod10 with=37 not=01,03 | CONTENT
03 =p N14:mod10 not=01,02,37 | MTO GTIN
10 - X1-20 with=01,02,03,8006,8026 | BATCH/LOT
11 = N6:day0 with=01,02,03,8006,8026 | PROD DATE
12 = N6:day0 with=8020 | DUE DATE
13 = N6:day0 with=01,02,03,8006,8026 | PACK DATE
15 = N6:day0 with=01,02,03,8006,8026 | BEST BEFORE or BEST BY
16 = N6:day0 with=01,02,03,8006,8026 | SELL BY
17 = N6:day0 with=01,02,03,255,8006,8026 | USE BY or EXPIRY
20 = N2 with=01,02,8006,8026 | VARIANT
21 p X1-20 with=01,03,8006 not=235 | SERIAL
22 p X1-20 with=01 | CPV
235 p X1-28 with=01 | TPX
240 - X1-30 with=01,02,8006,8026 | ADDITIONAL ID
241 - X1-30 with=01,02,8006,8026 | CUST. PART No.
242 - N1-6 with=01,02,8006,8026 | MTO VARIANT
243 - X1-20 with=01 | PCN
250 - X1-30 with=01,8006 with=21 | SECONDARY SERIAL
251 - X1-30 with=01,8006 | REF. TO SOURCE
253 - N13:mod10:company ?X1-17 key | GDTI
254 p X1-20 with=414 | GLN EXTENSION COMPONENT
255 - N13:mod10:company ?N1-12 key not=01,02,415,8006,8020,8026 | GCN
30 - N1-8 with=01,02 | VAR. COUNT
37 - N1-8 with=00 with=02,8026 | COUNT
400 - X1-30 | ORDER NUMBER
401 - X1-30:company key | GINC
402 - N17:mod10:company key | GSIN
403 - X1-30 with=00 | ROUTE
410 = N13:mod10:company | SHIP TO LOC
411 = N13:mod10:company | BILL TO
412 = N13:mod10:company | PURCHASE FROM
413 = N13:mod10:company | SHIP FOR LOC
414 = N13:mod10:company key=254/7040 | LOC No.
415 = N13:mod10:company key=8020 with=8020 | PAY TO
416 = N13:mod10:company | PROD/SERV LOC
417 = N13:mod10:company key=7040 | PARTY
420 - X1-20 not=421 | SHIP TO POST
421 - N3:country X1-9 not=4307 | SHIP TO POST
422 - N3:country with=01,02,8006,8026 not=426 | ORIGIN
423 - N3:country ?N3:country ?N3:country ?N3:country ?N3:country with=01,02 not=426 | COUNTRY - INITIAL PROCESS
424 - N3:country with=01,02 not=426 | COUNTRY - PROCESS
425 - N3:country ?N3:country ?N3:country ?N3:country ?N3:country with=01,02 not=426 | COUNTRY - DISASSEMBLY
426 - N3:country with=01,02 | COUNTRY - FULL PROCESS
427 - X1-3 with=01,02 with=422 | ORIGIN SUBDIVISION
4300 - X1-35:percent with=00 | SHIP TO COMP
4301 - X1-35:percent with=00 | SHIP TO NAME
4302 - X1-70:percent with=00 | SHIP TO ADD1
4303 - X1-70:percent with=4302 | SHIP TO ADD2
4304 - X1-70:percent with=00 | SHIP TO SUB
4305 - X1-70:percent with=00 | SHIP TO LOC
4306 - X1-70:percent with=00 | SHIP TO REG
4307 - X2:country_letters with=00 | SHIP TO COUNTRY
4308 - X1-30 with=00 | SHIP TO PHONE
4309 - N10:latitude N10:longitude with=00 | SHIP TO GEO
4310 - X1-35:percent with=00 | RTN TO COMP
4311 - X1-35:percent with=00 | RTN TO NAME
4312 - X1-70:percent with=00 | RTN TO ADD1
4313 - X1-70:percent with=4312 | RTN TO ADD2
4314 - X1-70:percent with=00 | RTN TO SUB
4315 - X1-70:percent with=00 | RTN TO LOC
4316 - X1-70:percent with=00 | RTN TO REG
4317 - X2:country_letters with=00 | RTN TO COUNTRY
4318 - X1-20 with=00 | RTN TO POST
4319 - X1-30 with=00 | RTN TO PHONE
4320 - X1-35:percent with=00 | SRV DESCRIPTION
4321 - N1:zero_or_one with=00 | DANGEROUS GOODS
4322 - N1:zero_or_one with=00 | AUTH TO LEAVE
4323 - N1:zero_or_one with=00 | SIG REQUIRED
4324 - N6:day0 N4:time with=00 | NOT BEF DEL DT
4325 - N6:day0 N4:time with=00 | NOT AFT DEL DT
4326 - N6:day with=00 | REL DATE
4330 - N6 ?X1:minus with=00 not=4331 | MAX TEMP F.
4331 - N6 ?X1:minus with=00 not=4330 | MAX TEMP C.
4332 - N6 ?X1:minus with=00 not=4333 | MIN TEMP F.
4333 - N6 ?X1:minus with=00 not=4332 | MIN TEMP C.
7001 - N13 with=01,02,8006,8026 | NSN
7002 - X1-30 with=01,02 | MEAT CUT
7003 - N6:day N4:time with=01,02 | EXPIRY TIME
7004 - N1-4 with=01 with=10 | ACTIVE POTENCY
7005 - X1-12 with=01,02 | CATCH AREA
7006 - N6:day with=01,02 | FIRST FREEZE DATE
7007 - N6:day ?N6:day with=01,02 | HARVEST DATE
7008 - X1-3 with=01,02 | AQUATIC SPECIES
7009 - X1-10 with=01,02 | FISHING GEAR TYPE
7010 - X1-2 with=01,02 | PROD METHOD
7011 - N6:day ?N4:time with=01,02 | TEST BY DATE
7020 - X1-20 with=01,8006 with=416 | REFURB LOT
7021 - X1-20 with=01,8006 | FUNC STAT
7022 - X1-20 with=7021 | REV STAT
7023 - X1-30:company | GIAI - ASSEMBLY
7040 p N1 X1 X1 X1:importer | UIC+EXT
7041 - X1-4 with=00 | UFRGT UNIT TYPE
710 - X1-20 with=01 | NHRN PZN
711 - X1-20 with=01 | NHRN CIP
712 - X1-20 with=01 | NHRN CN
713 - X1-20 with=01 | NHRN DRN
714 - X1-20 with=01 | NHRN AIM
715 - X1-20 with=01 | NHRN NDC
716 - X1-20 with=01 | NHRN AIC
717 - X1-20 with=01 | NHRN SRN
7240 - X1-20 with=01,8006 | PROTOCOL
7241 - N2:media with=8017,8018 | AIDC MEDIA TYPE
7242 - X1-25 with=8017,8018 | VCN
7250 - N8:long_day with=8018 not=7251 | DOB
7251 - N8:long_day N4:time with=8018 not=7250 | DOB TIME
7252 - N1:sex with=8018 | BIO SEX
7253 - X1-40:percent with=8017,8018 not=7256,7259 | FAMILY NAME
7254 - X1-40:percent with=8017,8018 not=7256,7259 | GIVEN NAME
7255 - X1-10 with=8017,8018 not=7256,7259 | SUFFIX
7256 - X1-90:percent with=8017,8018 | FULL NAME
7257 - X1-70:percent with=8018 | PERSON ADDR
7258 - X3:one_of_few with=8018+7259 | BIRTH SEQUENCE
7259 - X1-40:percent with=8018 not=7256 | BABY
8001 - N4:nonzero N5:nonzero N3:nonzero N1:winding N1 with=01 | DIMENSIONS
8002 - X1-20 | CMT No.
8003 - N1:zero N13:mod10:company ?X1-16 key | GRAI
8004 - X1-30:company key=7040 | GIAI
8005 - N6 with=01,02 | PRICE PER UNIT
8006 - N14:mod10 N4:piece_of_total key=22,10,21 not=01,37 | ITIP
8007 - X1-34:iban with=415 | IBAN
8008 - N6:day N2:hour ?N2:sixty ?N2:sixty with=01,02 | PROD TIME
8009 - X1-50 with=00,01 | OPTSEN
8010 - Y1-30:company key=8011 | CPID
8011 p N1-12:no_leading_zero with=8010 | CPID SERIAL
8012 - X1-20 with=01,8006 | VERSION
8013 - X1-25:check_pair:company key | GMN
8014 p X1-25:check_pair:company:not_all_digits with=01 | MUDI
8017 - N18:mod10:company key=8019 not=8018 | GSRN - PROVIDER
8018 - N18:mod10:company key=8019 not=8017 | GSRN - RECIPIENT
8019 p N1-10 with=8017,8018 | SRIN
8020 p X1-25 with=415 | REF No.
8026 - N14:mod10 N4:piece_of_total with=37 not=02,8006 | ITIP CONTENT
8030 - Z1-90:base64 with=00,01+21,253,255,8003,8004,8006+21,8010+8011,8017,8018 | DIGSIG
8040 - N15 with=01 | IMEI
8041 - N15 with=01 | IMEI2
8042 - N32 with=01 | ESIM
8043 - N18 ?N1-2 with=01 | PSIM
8110 - X1-70 | COUPON CODE
8111 - N4 with=255 | POINTS
8112 - X1-70 | PAPERLESS COUPON CODE
8200 p X1-70 with=01 | PRODUCT URL
90 - X1-30 | INTERNAL
"""

# Measures: six digits, the identifier's last digit says how many of them are decimals (0 to 5).
TRADE_MEASURES = """
310 NET WEIGHT (kg)   311 LENGTH (m)   312 WIDTH (m)   313 HEIGHT (m)   314 AREA (m²)   315 NET VOLUME (l)
316 NET VOLUME (m³)   320 NET WEIGHT (lb)   321 LENGTH (in)   322 LENGTH (ft)   323 LENGTH (yd)   324 WIDTH (in)
325 WIDTH (ft)   326 WIDTH (yd)   327 HEIGHT (in)   328 HEIGHT (ft)   329 HEIGHT (yd)   350 AREA (in²)   351 AREA (ft²)
352 AREA (yd²)   356 NET WEIGHT (troy oz)   357 NET VOLUME (oz)   360 NET VOLUME (qt)   361 NET VOLUME (gal.)
364 NET VOLUME (in³)   365 NET VOLUME (ft³)   366 NET VOLUME (yd³)
"""
LOGISTIC_MEASURES = """
330 GROSS WEIGHT (kg)   331 LENGTH (m), log   332 WIDTH (m), log   333 HEIGHT (m), log   334 AREA (m²), log
335 VOLUME (l), log   336 VOLUME (m³), log   340 GROSS WEIGHT (lb)   341 LENGTH (in), log   342 LENGTH (ft), log
343 LENGTH (yd), log   344 WIDTH (in), log   345 WIDTH (ft), log   346 WIDTH (yd), log   347 HEIGHT (in), log
348 HEIGHT (ft), log   349 HEIGHT (yd), log   353 AREA (in²), log   354 AREA (ft²), log   355 AREA (yd²), log
362 VOLUME (qt), log   363 VOLUME (gal.), log   367 VOLUME (in³), log   368 VOLUME (ft³), log   369 VOLUME (yd³), log
"""

# As above, with each digit of the span after the colon in place of `n`: a number of decimals, or of an entry.
NUMBERED = """
337n:0-5 = N6 with=01 not=337n | KG PER m²
390n:0-9 - N1-15 with=255,8020 not=390n,391n,394n,8111 | AMOUNT
391n:0-9 - N3:currency N1-15 with=8020 not=391n | AMOUNT
392n:0-9 - N1-15 with=01 with=30,31nn,32nn,35nn,36nn not=392n,393n | PRICE
393n:0-9 - N3:currency N1-15 with=30,31nn,32nn,35nn,36nn not=393n | PRICE
394n:0-3 - N4 with=255 not=394n,8111 | PRCNT OFF
395n:0-5 - N6 with=30,31nn,32nn,35nn,36nn not=392n,393n,395n,8005 | PRICE/UoM
703n:0-9 - N3:country_or_many X1-27 with=01,02 | PROCESSOR
723n:0-9 - X2 X1-28 with=01,8004 | CERTIFICATE
9n:1-9 - X1-90 | INTERNAL
"""

# Words that stood for identifiers in the standard's early releases; deprecated, still printed on goods.
PATH_WORDS = """
gtin 01  itip 8006  gmn 8013  cpid 8010  gln 414  party 417  gsrnp 8017  gsrn 8018  gcn 255  sscc 00  gdti 253  ginc 401
gsin 402  grai 8003  giai 8004  cpv 22  lot 10  ser 21  cpsn 8011  glnx 254  refno 8020  srin 8019
"""
QUERY_WORDS = "exp 17  expdt 7003"
