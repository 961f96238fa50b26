module vouchsafe/corim-oracle

go 1.22

require github.com/veraison/corim v1.1.2
